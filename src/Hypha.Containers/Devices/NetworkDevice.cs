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
    /// <summary>A kind of its own, so that the kernel's driver does not take it.</summary>
    internal const string DirectKind = "hvif";

    private const int Number = 0;

    public DevicePaths Paths(DomainId guest) => new(backEnd == NetworkBackEnd.Direct ? DirectKind : "vif", guest, Number);

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

        StoreNodes front = nodes.AddFrontend(paths);
        front.Value(paths.Frontend / "handle", Number);
        front.Value(paths.Frontend / "mac", lease.Mac);
        front.Value(paths.Frontend / "mtu", NetworkLease.Mtu);

        StorePath network = StorePath.Domain(nodes.Domain.Value) / "hypha/network" / Number;
        front.Directory(network, StorePermissions.OwnedBy(0).ReadableBy(nodes.Domain.Value));
        front.Value(network / "network", lease.Network);
        front.Value(network / "mac", lease.Mac);
        front.Value(network / "address", lease.Address);
        front.Value(network / "gateway", lease.Gateway);
        front.Value(network / "address6", lease.Address6);
        front.Value(network / "gateway6", lease.Gateway6);
        front.Value(network / "mtu", NetworkLease.Mtu);
        front.Value(network / "names", string.Join(' ', names));
        front.Value(network / "publish", string.Join(' ', lease.Publish));
        front.Value(network / "dns", string.Join(' ', lease.Dns));
        front.Value(network / "policy", lease.Policy);
        front.Value(network / "internal", lease.Internal ? 1 : 0);
        return ValueTask.CompletedTask;
    }

    /// <summary>The back end takes hold of nothing that was prepared here.</summary>
    public Task ServedAsync(XenStoreClient store, DomainId guest, CancellationToken cancellation) => Task.CompletedTask;

    public void Dispose()
    {
    }
}
