using Hypha.Net.Link.Netif;
using Hypha.XenStore;

namespace Hypha.Net.Guests;

/// <summary>A guest's network interface on this host.</summary>
/// <param name="Domain">Xen's number of it.</param>
public readonly record struct Vif(int Domain, int Handle)
{
    /// <summary>As xen-netback calls its end.</summary>
    public string InterfaceName => $"vif{Domain}.{Handle}";
}

/// <summary>Told of guests that come and go.</summary>
public interface IGuestReceiver
{
    /// <summary>Its two ends are connected. May be called again for one that is known: when a guest connected anew.</summary>
    /// <param name="place">Where its rings are, for a guest that is served directly; null for one behind an interface of the kernel's.</param>
    /// <returns>Whether it is served.</returns>
    Task<bool> Appeared(Vif vif, GuestNodes nodes, NetifPlace? place);

    /// <summary>Done when all of it was let go of.</summary>
    Task Gone(Vif vif);

    void Failed(Vif vif, string why);
}

/// <summary>
/// Finds guests by watching their back ends in the store, where the host alone writes; needs nothing of hyphad, and finds those that were there
/// before. A store that goes away is asked again until it answers: the guests' links stay as they are meanwhile.
/// </summary>
public sealed class GuestFinder(Func<XenStoreClient> connect, IGuestReceiver receiver, Action<string> log)
{
    private const string Connected = "4"; // io/xenbus.h, XenbusStateConnected

    /// <summary>Node in a back end's directory: written anew whenever the guest was given another place, or none.</summary>
    internal const string ChangeNode = "hypha-network";

    private static readonly StorePath s_backends = StorePath.Domain(0) / "backend/vif";

    /// <summary>The guests that are served, with what <see cref="ChangeNode"/> said when they were looked at.</summary>
    private readonly Dictionary<Vif, string> _known = [];

    public Task RunAsync(CancellationToken cancellation) => StoreKeeper.RunAsync(connect, WatchAsync, "guests", log, cancellation);

    private async Task WatchAsync(XenStoreClient store, CancellationToken cancellation)
    {
        StoreWatch watch = await store.WatchAsync(s_backends, cancellation).ConfigureAwait(false);
        await using (watch.ConfigureAwait(false))
        {
            // After a store that was away: who is not there any more is gone.
            foreach (Vif vif in _known.Keys.ToArray())
                await LookAsync(store, vif, cancellation).ConfigureAwait(false);
            await foreach (WatchEvent change in watch.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                string[] parts = StoreKeeper.NamesBelow(s_backends, change);
                if (parts.Length == 0 || change.Overflowed)
                    await LookAtAllAsync(store, cancellation).ConfigureAwait(false);
                else if (StoreValue.TryParse(parts[0], 1, int.MaxValue, out int domain))
                    await LookAtDomainAsync(store, domain, parts.Length > 1 ? parts[1] : null, parts.Length > 2 ? parts[2] : null, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task LookAtAllAsync(XenStoreClient store, CancellationToken cancellation)
    {
        foreach (string name in await store.TryListAsync(s_backends, cancellation).ConfigureAwait(false))
        {
            if (StoreValue.TryParse(name, 1, int.MaxValue, out int domain))
                await LookAtDomainAsync(store, domain, null, null, cancellation).ConfigureAwait(false);
        }
        foreach (Vif vif in _known.Keys.ToArray())
            await LookAsync(store, vif, cancellation).ConfigureAwait(false);
    }

    private async Task LookAtDomainAsync(XenStoreClient store, int domain, string? handleName, string? node, CancellationToken cancellation)
    {
        // Only its state, its coming and going and its change of networks say something; a back end has a dozen nodes more.
        if (node is not (null or "state" or ChangeNode))
            return;
        if (StoreValue.TryParse(handleName, 0, ushort.MaxValue, out int handle))
        {
            await LookAsync(store, new Vif(domain, handle), cancellation).ConfigureAwait(false);
            return;
        }
        foreach (string name in await store.TryListAsync(s_backends / domain, cancellation).ConfigureAwait(false))
        {
            if (StoreValue.TryParse(name, 0, ushort.MaxValue, out int number))
                await LookAsync(store, new Vif(domain, number), cancellation).ConfigureAwait(false);
        }
        foreach (Vif vif in _known.Keys.Where(vif => vif.Domain == domain).ToArray())
            await LookAsync(store, vif, cancellation).ConfigureAwait(false);
    }

    private async Task LookAsync(XenStoreClient store, Vif vif, CancellationToken cancellation)
    {
        string? state = await store.TryReadAsync(s_backends / vif.Domain / vif.Handle / "state", cancellation).ConfigureAwait(false);
        if (state != Connected)
        {
            if (_known.Remove(vif))
                await receiver.Gone(vif).ConfigureAwait(false);
            return;
        }
        string change = await store.TryReadAsync(s_backends / vif.Domain / vif.Handle / ChangeNode, cancellation).ConfigureAwait(false) ?? "";
        if (_known.TryGetValue(vif, out string? seen) && seen == change)
            return;
        try
        {
            if (await GuestNodes.ReadAsync(store, vif.Domain, vif.Handle, cancellation).ConfigureAwait(false) is not { } nodes)
            {
                if (_known.Remove(vif))
                    await receiver.Gone(vif).ConfigureAwait(false); // it has left its network
                return; // else it is somebody else's guest
            }
            _known[vif] = change;
            await receiver.Appeared(vif, nodes, place: null).ConfigureAwait(false);
        }
        catch (FormatException error)
        {
            if (_known.Remove(vif))
                await receiver.Gone(vif).ConfigureAwait(false);
            receiver.Failed(vif, error.Message);
        }
    }
}
