using System.Globalization;
using Hypha.Containers.Network;
using Hypha.Xen;
using Hypha.XenStore;

namespace Hypha.Containers.Devices;

/// <summary>Who is the other end of a guest's network interface.</summary>
public enum NetworkBackEnd
{
    /// <summary>hyphanet itself: no network code of the host's kernel meets what the guest writes.</summary>
    Direct,

    /// <summary>xen-netback, with hyphanet behind the interface that it makes.</summary>
    Kernel,
}

/// <summary>
/// A network interface (public/io/netif.h). hyphanet, which stands behind it either way, finds it by the nodes under hypha/network; the guest runs
/// without it, too, and just hears nothing.
/// </summary>
/// <param name="names">By which others on the network find the container.</param>
public sealed class NetworkDevice(NetworkLease lease, IReadOnlyList<string> names, NetworkBackEnd backEnd) : IGuestDevice
{
    private const string KernelKind = "vif";
    private const int Number = 0;

    /// <summary>In the back end's directory, which hyphanet watches: a number that grows with each move.</summary>
    private const string ChangeNode = "hypha-network";

    public DevicePaths Paths(DomainId guest) => new(backEnd == NetworkBackEnd.Direct ? NetifBackEnd.Kind : KernelKind, guest, Number);

    public ValueTask PrepareAsync(DomainNodes nodes, UndoStack undo, CancellationToken cancellation)
    {
        DevicePaths paths = Paths(nodes.Domain);
        StoreNodes back = nodes.AddBackend(paths);
        back.Value(paths.Backend / "handle", Number);
        back.Value(paths.Backend / "mac", lease.Mac);
        if (backEnd == NetworkBackEnd.Kernel)
        {
            // netback wants to read a script's name; there is none, and none to wait for: nothing on the host is to be told of the interface.
            back.Value(paths.Backend / "script", "");
            back.Value(paths.Backend / "hotplug-status", "connected");
        }
        else
        {
            // Ahead of hyphanet: the guest's interface comes up, and is served from when hyphanet sees it.
            foreach ((string name, string value) in NetifBackEnd.Features)
                back.Value(paths.Backend / name, value);
            back.Value(paths.Backend / "state", (int)XenbusState.InitWait);
        }

        StoreNodes front = nodes.AddFrontend(paths);
        front.Value(paths.Frontend / "handle", Number);
        front.Value(paths.Frontend / "mac", lease.Mac);
        front.Value(paths.Frontend / "mtu", NetworkLease.Mtu);

        AddPlace(front, nodes.Domain, lease, names);
        return ValueTask.CompletedTask;
    }

    /// <summary>Moves a running guest to another place on a network, or to none, in one step; hyphanet hears of it by the last node.</summary>
    /// <returns>False when the domain is not the container's any more, or has no interface.</returns>
    public static Task<bool> MoveAsync(XenStoreClient store, DomainId guest, Guid uuid, NetworkLease? lease, IReadOnlyList<string> names, CancellationToken cancellation)
    {
        var nodes = new StoreNodes();
        if (lease is not null)
            AddPlace(nodes, guest, lease, names);
        return store.TransactAsync(async transaction =>
        {
            // It keeps the kind that it was launched with.
            foreach (string kind in (string[])[NetifBackEnd.Kind, KernelKind])
            {
                StorePath backend = new DevicePaths(kind, guest, Number).Backend, change = backend / ChangeNode;
                if (await transaction.TryReadAsync(backend / DevicePaths.OwnerNode, cancellation).ConfigureAwait(false) != uuid.ToString())
                    continue;
                StoreValue.TryParse(await transaction.TryReadAsync(change, cancellation).ConfigureAwait(false), 0, int.MaxValue - 1, out int before);
                transaction.Remove(PlaceOf(guest));
                nodes.AddTo(transaction);
                transaction.Write(change, (before + 1).ToString(CultureInfo.InvariantCulture));
                return true;
            }
            return false;
        }, cancellation);
    }

    /// <summary>The back end takes hold of nothing that was prepared here.</summary>
    public Task ServedAsync(XenStoreClient store, DomainId guest, CancellationToken cancellation) => Task.CompletedTask;

    public void Dispose()
    {
    }

    private static StorePath PlaceOf(DomainId guest) => StorePath.Domain(guest.Value) / "hypha/network" / Number;

    private static void AddPlace(StoreNodes nodes, DomainId guest, NetworkLease lease, IReadOnlyList<string> names)
    {
        StorePath place = PlaceOf(guest);
        nodes.Directory(place, StorePermissions.OwnedBy(0).ReadableBy(guest.Value));
        nodes.Value(place / "network", lease.Network);
        nodes.Value(place / "mac", lease.Mac);
        nodes.Value(place / "address", lease.Address);
        nodes.Value(place / "gateway", lease.Gateway);
        nodes.Value(place / "address6", lease.Address6);
        nodes.Value(place / "gateway6", lease.Gateway6);
        nodes.Value(place / "mtu", NetworkLease.Mtu);
        nodes.Value(place / "names", string.Join(' ', names));
        nodes.Value(place / "publish", string.Join(' ', lease.Publish));
        nodes.Value(place / "dns", string.Join(' ', lease.Dns));
        nodes.Value(place / "policy", lease.Policy);
        nodes.Value(place / "internal", lease.Internal ? 1 : 0);
    }
}
