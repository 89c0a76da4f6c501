using Hypha.Xen;
using Hypha.XenStore;

namespace Hypha.Net.Guests;

/// <summary>
/// The back ends of vifs that are served here, without the kernel's (backend/hvif in the store): finds them, and has a
/// <see cref="DirectBackEnd"/> for each as long as its nodes are there. A store that goes away is asked again until it answers.
/// </summary>
public sealed class DirectBackEnds(Func<XenStoreClient> connect, IGuestReceiver receiver, Action<string> log)
{
    private static readonly StorePath s_backends = StorePath.Domain(0) / "backend" / NetifBackEnd.Kind;

    private readonly Dictionary<Vif, DirectBackEnd> _backEnds = [];

    public Task RunAsync(CancellationToken cancellation) => StoreKeeper.RunAsync(connect, ServeAsync, "back ends", log, cancellation);

    private async Task ServeAsync(XenStoreClient store, CancellationToken cancellation)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        StoreWatch watch = await store.WatchAsync(s_backends, cancellation).ConfigureAwait(false);
        await using (watch.ConfigureAwait(false))
        {
            try
            {
                // After a store that was away: those whose nodes are gone find that out by looking.
                foreach (DirectBackEnd end in _backEnds.Values)
                    end.Start(store, ends.Token);
                await foreach (WatchEvent change in watch.ReadAllAsync(cancellation).ConfigureAwait(false))
                {
                    string[] parts = StoreKeeper.NamesBelow(s_backends, change);
                    if (parts.Length < 2 || change.Overflowed)
                        await LookAtAllAsync(store, ends.Token).ConfigureAwait(false);
                    else if (parts.Length == 2 || parts[2] is "state" or GuestFinder.ChangeNode)
                        Look(store, parts[0], parts[1], ends.Token);
                }
            }
            finally
            {
                await ends.CancelAsync().ConfigureAwait(false);
                await Task.WhenAll(_backEnds.Values.Select(end => end.Ended)).ConfigureAwait(false);
            }
        }
    }

    private async Task LookAtAllAsync(XenStoreClient store, CancellationToken cancellation)
    {
        foreach (string domain in await store.TryListAsync(s_backends, cancellation).ConfigureAwait(false))
        {
            foreach (string handle in await store.TryListAsync(s_backends / domain, cancellation).ConfigureAwait(false))
                Look(store, domain, handle, cancellation);
        }
        foreach (DirectBackEnd end in _backEnds.Values)
            end.Look();
    }

    private void Look(XenStoreClient store, string domainName, string handleName, CancellationToken cancellation)
    {
        foreach (Vif done in _backEnds.Where(end => end.Value.IsGone).Select(end => end.Key).ToArray())
            _backEnds.Remove(done);
        if (!StoreValue.TryParse(domainName, 1, DomainId.FirstReserved.Value - 1, out int domain) || !StoreValue.TryParse(handleName, 0, ushort.MaxValue, out int handle))
            return;
        var vif = new Vif(domain, handle);
        if (_backEnds.TryGetValue(vif, out DirectBackEnd? known))
        {
            known.Look();
            return;
        }
        var end = new DirectBackEnd(vif, receiver);
        _backEnds.Add(vif, end);
        end.Start(store, cancellation);
    }
}
