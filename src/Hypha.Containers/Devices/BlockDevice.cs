using System.Diagnostics;
using Hypha.Linux;
using Hypha.Xen;
using Hypha.XenStore;

namespace Hypha.Containers.Devices;

/// <summary>
/// A disk: a file behind a loop device, served by the kernel's xen-blkback (public/io/blkif.h). That it is read-only is
/// enforced twice on the host, by the loop device and by the back end's mode, and nowhere left to the guest.
/// </summary>
/// <param name="number">The guest's number for it: 51712 is xvda, 51728 xvdb (misc/vbd-interface: 202 &lt;&lt; 8 | disk &lt;&lt; 4).</param>
public sealed class BlockDevice(int number, string path, bool readOnly = true) : IGuestDevice
{
    // Ten guests that boot at once on two processors leave the host so little that ten seconds were too few.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private const int LongestWait = 50; // ms

    private LoopDevice? _loop;

    /// <summary>As the guest's kernel calls it: "xvda".</summary>
    public string Name => $"xvd{(char)('a' + ((number >> 4) & 0xF))}";

    public DevicePaths Paths(DomainId guest) => new("vbd", guest, number);

    public ValueTask PrepareAsync(DomainNodes nodes, UndoStack undo, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        _loop = LoopDevice.Attach(path, readOnly);
        undo.Push($"detaching {_loop.Path} from {path}", Dispose);
        AddNodes(nodes, _loop.Path, _loop.Major, _loop.Minor);
        return ValueTask.CompletedTask;
    }

    public async Task ServedAsync(XenStoreClient store, DomainId guest, CancellationToken cancellation)
    {
        // xen-blkback tells nobody that it opened the device, but makes this file right after (drivers/block/xen-blkback/xenbus.c).
        string opened = $"/sys/bus/xen-backend/devices/vbd-{guest.Value}-{number}/physical_device";
        long start = Stopwatch.GetTimestamp();
        for (int wait = 1; !File.Exists(opened); wait = Math.Min(wait * 2, LongestWait))
        {
            await Task.Delay(wait, cancellation).ConfigureAwait(false);
            // Of a failure it does tell; a disk that opens as usual is not worth the question.
            if (wait == LongestWait && await store.TryReadAsync(Paths(guest).BackendError, cancellation).ConfigureAwait(false) is { } error)
                throw new ContainerException(ContainerError.Internal, $"{NotOpened(guest)}: {StoreValue.Printable(error)}.");
            if (Stopwatch.GetElapsedTime(start) > s_patience)
            {
                throw new ContainerException(ContainerError.DeadlineExceeded, $"{NotOpened(guest)} within {s_patience.TotalSeconds} s. "
                    + "The kernel's log (dmesg) says why; the driver is loaded with: modprobe xen-blkback");
            }
        }
    }

    public void Dispose() => _loop?.Dispose();

    internal void AddNodes(DomainNodes nodes, string device, uint major, uint minor)
    {
        DevicePaths paths = Paths(nodes.Domain);
        StoreNodes back = nodes.AddBackend(paths);
        back.Value(paths.Backend / "params", device);
        back.Value(paths.Backend / "type", "phy");
        back.Value(paths.Backend / "dev", Name);
        back.Value(paths.Backend / "device-type", "disk");
        back.Value(paths.Backend / "mode", readOnly ? "r" : "w");
        back.Value(paths.Backend / "bootable", 1);
        back.Value(paths.Backend / "removable", 0);
        back.Value(paths.Backend / "discard-enable", 0);
        back.Value(paths.Backend / "physical-device-path", device);
        // blkback opens the device as soon as it sees this (drivers/block/xen-blkback reads "%x:%x").
        back.Value(paths.Backend / "physical-device", $"{major:x}:{minor:x}");
        back.Value(paths.Backend / "hotplug-status", "connected");

        StoreNodes front = nodes.AddFrontend(paths);
        front.Value(paths.Frontend / "virtual-device", number);
        front.Value(paths.Frontend / "device-type", "disk");
    }

    private string NotOpened(DomainId guest) => $"xen-blkback did not open {_loop?.Path} for {Name} of domain {guest.Value}";
}
