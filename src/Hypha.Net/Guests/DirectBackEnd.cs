using System.Threading.Channels;
using Hypha.Net.Link.Netif;
using Hypha.Xen;
using Hypha.XenStore;

namespace Hypha.Net.Guests;

/// <summary>
/// One vif's back end in the store: says what it can do, waits for the front end's rings, has them served, and lets go when either side closes
/// (public/io/xenbus.h, xenbus_state; public/io/netif.h). What the front end writes is hostile input.
/// </summary>
internal sealed class DirectBackEnd(Vif vif, IGuestReceiver receiver)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1); // of a front end that connects again and again

    private readonly StorePath _back = StorePath.Domain(0) / "backend" / NetifBackEnd.Kind / vif.Domain / vif.Handle;
    private readonly StorePath _front = StorePath.Domain(vif.Domain) / "device/vif" / vif.Handle;
    private readonly Channel<bool> _looks = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private bool _attached;
    private string? _failure;
    private string? _change; // the move that it was attached after
    private long _connectedAt;

    /// <summary>Done when nothing of it runs any more; never fails.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>Its nodes were removed.</summary>
    public bool IsGone { get; private set; }

    public void Start(XenStoreClient store, CancellationToken cancellation) => Ended = RunAsync(store, cancellation);

    /// <summary>Something may have changed.</summary>
    public void Look() => _looks.Writer.TryWrite(true);

    private async Task RunAsync(XenStoreClient store, CancellationToken cancellation)
    {
        try
        {
            StoreWatch watch = await store.WatchAsync(_front / "state", cancellation).ConfigureAwait(false);
            await using (watch.ConfigureAwait(false))
            {
                Task front = PassOnAsync(watch, cancellation);
                while (!IsGone)
                {
                    await _looks.Reader.ReadAsync(cancellation).ConfigureAwait(false);
                    await StepAsync(store, cancellation).ConfigureAwait(false);
                }
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // The store went away, which is told elsewhere: the guest is served on, and looked at again when the store is back.
        }
    }

    private async Task PassOnAsync(StoreWatch watch, CancellationToken cancellation)
    {
        try
        {
            await foreach (WatchEvent _ in watch.ReadAllAsync(cancellation).ConfigureAwait(false))
                Look();
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
        }
        Look();
    }

    private async Task StepAsync(XenStoreClient store, CancellationToken cancellation)
    {
        XenbusState? back = await StateAsync(store, _back, cancellation).ConfigureAwait(false);
        XenbusState? front = await StateAsync(store, _front, cancellation).ConfigureAwait(false);
        if (back is null)
        {
            await DetachAsync().ConfigureAwait(false);
            IsGone = true;
            return;
        }
        // The host takes the device away: hyphad says "closing" with online 0.
        if (back == XenbusState.Closing && await store.TryReadAsync(_back / "online", cancellation).ConfigureAwait(false) == "0")
            front = XenbusState.Closed;
        string change = await store.TryReadAsync(_back / GuestFinder.ChangeNode, cancellation).ConfigureAwait(false) ?? "";
        if (_attached && change != _change)
            await DetachAsync().ConfigureAwait(false); // to be attached where it belongs now; the rings go on where they stand
        _change = change;
        switch (front)
        {
            case XenbusState.Initialising when back != XenbusState.InitWait:
                await DetachAsync().ConfigureAwait(false);
                if (Environment.TickCount64 - _connectedAt < s_pause.TotalMilliseconds)
                    await Task.Delay(s_pause, cancellation).ConfigureAwait(false);
                await OfferAsync(store, cancellation).ConfigureAwait(false);
                break;
            // With a back end that is connected this process is a new one: it takes over the rings as they are.
            case XenbusState.Initialised or XenbusState.Connected when !_attached && (back is XenbusState.InitWait or XenbusState.Connected):
                await AttachAsync(store, cancellation).ConfigureAwait(false);
                break;
            case XenbusState.Closing:
                await DetachAsync().ConfigureAwait(false);
                await SetStateAsync(store, back, XenbusState.Closing, cancellation).ConfigureAwait(false);
                break;
            case XenbusState.Closed:
                await DetachAsync().ConfigureAwait(false);
                await SetStateAsync(store, back, XenbusState.Closed, cancellation).ConfigureAwait(false);
                break;
            case null or XenbusState.Unknown:
                await DetachAsync().ConfigureAwait(false);
                break;
        }
    }

    private async Task OfferAsync(XenStoreClient store, CancellationToken cancellation) =>
        await store.TransactAsync(async transaction =>
        {
            if (await StateAsync(transaction, _back, cancellation).ConfigureAwait(false) is null)
                return;
            foreach ((string name, string value) in NetifBackEnd.Features)
                transaction.Write(_back / name, value);
            transaction.Write(_back / "state", ((int)XenbusState.InitWait).ToString());
        }, cancellation).ConfigureAwait(false);

    private async Task AttachAsync(XenStoreClient store, CancellationToken cancellation)
    {
        try
        {
            NetifPlace place = await NetifNodes.ReadAsync(store, _front, new DomainId((ushort)vif.Domain), NetifBackEnd.MostQueues, cancellation).ConfigureAwait(false);
            if (await GuestNodes.ReadAsync(store, vif.Domain, vif.Handle, cancellation).ConfigureAwait(false) is not { } nodes)
                return; // somebody else's guest
            _connectedAt = Environment.TickCount64;
            _attached = true;
            if (await receiver.Appeared(vif, nodes, place).ConfigureAwait(false))
            {
                await SetStateAsync(store, null, XenbusState.Connected, cancellation).ConfigureAwait(false);
                return;
            }
        }
        catch (FormatException error)
        {
            if (error.Message != _failure)
                receiver.Failed(vif, error.Message);
            _failure = error.Message;
        }
        await DetachAsync().ConfigureAwait(false);
        // It is tried again when the front end moves, but no faster than this, however it moves.
        await Task.Delay(s_pause, cancellation).ConfigureAwait(false);
    }

    private async Task DetachAsync()
    {
        if (!_attached)
            return;
        _attached = false;
        await receiver.Gone(vif).ConfigureAwait(false);
    }

    /// <summary>Only while the nodes are there: else they would come to be anew, after whoever removed them.</summary>
    private async Task SetStateAsync(XenStoreClient store, XenbusState? now, XenbusState next, CancellationToken cancellation)
    {
        if (now == next)
            return;
        await store.TransactAsync(async transaction =>
        {
            if (await StateAsync(transaction, _back, cancellation).ConfigureAwait(false) is { } state && state != next)
                transaction.Write(_back / "state", ((int)next).ToString());
        }, cancellation).ConfigureAwait(false);
    }

    private static async Task<XenbusState?> StateAsync(StoreOperations store, StorePath end, CancellationToken cancellation) =>
        await store.TryReadAsync(end / "state", cancellation).ConfigureAwait(false) is not { } text ? null
            : StoreValue.TryParse(text, 0, 8, out int state) ? (XenbusState)state : XenbusState.Unknown;
}
