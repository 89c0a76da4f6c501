using Hypha.Xen;
using Hypha.XenStore;

namespace Hypha.Containers.Devices;

/// <summary>
/// Takes a dead guest's devices from their back ends, of whatever kind, then from the store. Finds them by the nodes that
/// the host alone can write: a guest cannot name what is to be removed.
/// </summary>
internal static class DeviceRemoval
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    public static async Task RunAsync(XenStoreClient store, DomainId guest, Guid uuid, CancellationToken cancellation)
    {
        List<DevicePaths> devices = await FindAsync(store, guest, uuid, cancellation).ConfigureAwait(false);
        await Task.WhenAll(devices.Select(device => CloseAsync(store, device, cancellation))).ConfigureAwait(false);
        if (devices.Count == 0)
            return;
        await store.TransactAsync(async transaction =>
        {
            foreach (DevicePaths device in devices)
                transaction.Remove(device.Backend);
            foreach (string kind in devices.Select(device => device.Kind).Distinct())
            {
                transaction.Remove(DevicePaths.BackendErrors / kind / guest.Value);
                StorePath all = DevicePaths.Backends / kind / guest.Value;
                if ((await transaction.TryListAsync(all, cancellation).ConfigureAwait(false)).Count == 0)
                    transaction.Remove(all);
            }
        }, cancellation).ConfigureAwait(false);
    }

    private static async Task<List<DevicePaths>> FindAsync(XenStoreClient store, DomainId guest, Guid uuid, CancellationToken cancellation)
    {
        List<DevicePaths> found = [];
        foreach (string kind in await store.TryListAsync(DevicePaths.Backends, cancellation).ConfigureAwait(false))
        {
            foreach (string name in await store.TryListAsync(DevicePaths.Backends / kind / guest.Value, cancellation).ConfigureAwait(false))
            {
                if (!StoreValue.TryParse(name, 0, int.MaxValue, out int number))
                    continue;
                var device = new DevicePaths(kind, guest, number);
                if (await store.TryReadAsync(device.Backend / DevicePaths.OwnerNode, cancellation).ConfigureAwait(false) == uuid.ToString())
                    found.Add(device);
            }
        }
        return found;
    }

    /// <summary>Makes the back end let go: it hears that the device goes for good, and that the guest's end is closed.</summary>
    private static async Task CloseAsync(XenStoreClient store, DevicePaths device, CancellationToken cancellation)
    {
        StorePath state = device.Backend / "state";
        // A driver that is just looking at the device writes what it can do, xen-netback partly outside of a transaction: it would make
        // the nodes anew that are removed beneath it.
        if (Directory.Exists($"/sys/bus/xen-backend/drivers/{device.Kind}"))
            await WaitAsync(store, state, value => value != ((int)XenbusState.Initialising).ToString(), cancellation).ConfigureAwait(false);
        bool served = await store.TransactAsync(async transaction =>
        {
            // A back end that nobody ever served has nothing to let go of. One whose front end is gone (the store removes what a
            // dead guest owned) lets go by itself and, in Linux, says nothing of it.
            if (IsIdle(await transaction.TryReadAsync(state, cancellation).ConfigureAwait(false))
                || await transaction.TryReadAsync(device.Frontend / "state", cancellation).ConfigureAwait(false) is null)
            {
                return false;
            }
            transaction.Write(device.Backend / "online", "0");
            // Without "closing" Linux leaves the state as it was, should the front end's nodes vanish before it looks.
            transaction.Write(state, ((int)XenbusState.Closing).ToString());
            transaction.Write(device.Frontend / "state", ((int)XenbusState.Closed).ToString());
            return true;
        }, cancellation).ConfigureAwait(false);
        if (!served)
            return;

        await WaitAsync(store, state, IsIdle, cancellation).ConfigureAwait(false);
    }

    private static async Task WaitAsync(XenStoreClient store, StorePath state, Func<string?, bool> condition, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(s_patience);
        try
        {
            await store.WaitForAsync(state, condition, patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Removing its nodes, which is next, tells a back end once more.
        }
    }

    private static bool IsIdle(string? state) =>
        !StoreValue.TryParse(state, (int)XenbusState.InitWait, (int)XenbusState.Closing, out _);
}
