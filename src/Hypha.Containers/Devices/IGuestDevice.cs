using Hypha.XenStore;

namespace Hypha.Containers.Devices;

/// <summary>
/// A device of a guest: what it needs of the host, and the nodes by which its two ends find each other. The next kind of
/// device implements this and joins the launcher's list; its removal is <see cref="DeviceRemoval"/>'s, the same for all kinds.
/// </summary>
/// <remarks>
/// Keep it until the guest is gone, then dispose it. From <see cref="ServedAsync"/> on whoever serves the device (a kernel's driver,
/// a daemon) holds what it needs itself, so a daemon that dies takes nothing from a running guest.
/// </remarks>
public interface IGuestDevice : IDisposable
{
    DevicePaths Paths(Hypha.Xen.DomainId guest);

    /// <summary>Acquires what the device needs, pushing how to give it back, and contributes its nodes to the launch's transaction.</summary>
    ValueTask PrepareAsync(DomainNodes nodes, UndoStack undo, CancellationToken cancellation);

    /// <summary>Waits until its server, which reads the nodes, has taken hold of what was prepared.</summary>
    /// <exception cref="ContainerException">DeadlineExceeded; Internal with the server's own word for it.</exception>
    Task ServedAsync(XenStoreClient store, Hypha.Xen.DomainId guest, CancellationToken cancellation);
}

public static class GuestDevice
{
    /// <summary>Waits until both ends are connected, by what the back end says: the guest's word counts for nothing here.</summary>
    public static Task ConnectedAsync(this IGuestDevice device, XenStoreClient store, Hypha.Xen.DomainId guest, CancellationToken cancellation) =>
        store.WaitForAsync(device.Paths(guest).Backend / "state", state => state == ((int)XenbusState.Connected).ToString(), cancellation);
}
