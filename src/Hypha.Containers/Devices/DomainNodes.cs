using Hypha.DomainBuilder;
using Hypha.Xen;
using Hypha.XenStore;

namespace Hypha.Containers.Devices;

/// <summary>
/// A guest's nodes in the store: the standard ones (misc/xenstore-paths), laid as Xen's own tools expect them, and Hypha's
/// (ARCHITECTURE.md). One transaction writes them, devices included; where the rings are follows once they are.
/// </summary>
public sealed class DomainNodes(DomainId domain, Guid uuid)
{
    private const int ConsoleLimit = 1 << 20; // bytes, what Xen's tools write here too

    private readonly StoreNodes _devices = new();

    public DomainId Domain => domain;

    /// <summary>What a person calls the guest; Xen's tools show it.</summary>
    public required string Name { get; init; }

    public required string Image { get; init; }
    public required int VCpus { get; init; }
    public required long MemoryMiB { get; init; }

    private DevicePaths Console => new("console", domain, 0);

    private StorePath Home => StorePath.Domain(domain.Value);

    /// <summary>The host's, and the guest may read.</summary>
    private StorePermissions Shown => StorePermissions.OwnedBy(0).ReadableBy(domain.Value);

    /// <summary>The guest's own: it may write, and what it writes is hostile input.</summary>
    private StorePermissions Guests => StorePermissions.OwnedBy(domain.Value);

    /// <summary>Begins a device's back end; its kind adds its own nodes.</summary>
    public StoreNodes AddBackend(DevicePaths device)
    {
        _devices.Directory(device.Backend, Shown);
        _devices.Value(device.Backend / DevicePaths.OwnerNode, uuid.ToString());
        _devices.Value(device.Backend / "frontend", device.Frontend.Value);
        _devices.Value(device.Backend / "frontend-id", domain.Value);
        _devices.Value(device.Backend / "online", 1);
        _devices.Value(device.Backend / "state", (int)XenbusState.Initialising);
        return _devices;
    }

    /// <summary>Begins a device's front end, which is the guest's from then on.</summary>
    public StoreNodes AddFrontend(DevicePaths device)
    {
        _devices.Directory(device.Frontend, Guests.ReadableBy(0));
        _devices.Value(device.Frontend / "backend", device.Backend.Value);
        _devices.Value(device.Frontend / "backend-id", 0);
        _devices.Value(device.Frontend / "state", (int)XenbusState.Initialising);
        return _devices;
    }

    /// <summary>Writes everything that needs no more than the domain's number.</summary>
    public async Task WriteAsync(XenStoreClient store, CancellationToken cancellation = default)
    {
        StoreNodes nodes = Standard();
        await store.TransactAsync(transaction =>
        {
            // What a domain that had this number before left behind.
            transaction.Remove(Home);
            nodes.AddTo(transaction);
            _devices.AddTo(transaction);
        }, cancellation).ConfigureAwait(false);
    }

    /// <summary>Adds where the guest's rings are, and tells the store to serve it.</summary>
    public async Task IntroduceAsync(XenStoreClient store, BuiltDomain built, CancellationToken cancellation = default)
    {
        StorePath console = Console.Frontend;
        await store.TransactAsync(transaction =>
        {
            transaction.Write(Home / "store/port", built.StorePort.Value.ToString());
            transaction.Write(Home / "store/ring-ref", built.StoreFrame.Value.ToString());
            transaction.Write(console / "port", built.ConsolePort.Value.ToString());
            transaction.Write(console / "ring-ref", built.ConsoleFrame.Value.ToString());
        }, cancellation).ConfigureAwait(false);
        await store.IntroduceAsync(domain.Value, built.StoreFrame.Value, built.StorePort.Value, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Removes all that <see cref="WriteAsync"/> wrote, once the domain is destroyed: waits, not for ever, until its devices' back
    /// ends have let go of it. Touches nothing of another domain that has the number by now; may find its work done.
    /// </summary>
    public static async Task RemoveAsync(XenStoreClient store, DomainId domain, Guid uuid, CancellationToken cancellation = default)
    {
        await DeviceRemoval.RunAsync(store, domain, uuid, cancellation).ConfigureAwait(false);
        StorePath home = StorePath.Domain(domain.Value);
        bool ours = await store.TransactAsync(async transaction =>
        {
            transaction.Remove(Vm(uuid));
            bool found = await transaction.TryReadAsync(home / "vm", cancellation).ConfigureAwait(false) == Vm(uuid).Value;
            if (found)
                transaction.Remove(home);
            return found;
        }, cancellation).ConfigureAwait(false);
        if (!ours)
            return;
        try
        {
            await store.ReleaseAsync(domain.Value, cancellation).ConfigureAwait(false);
        }
        catch (StoreException error) when (error.Error is Linux.Errno.ENOENT or Linux.Errno.EINVAL)
        {
            // the store has seen the domain die and let go of it by itself
        }
    }

    private static StorePath Vm(Guid uuid) => (StorePath)"/vm" / uuid.ToString();

    private StoreNodes Standard()
    {
        var nodes = new StoreNodes();
        StorePath vm = Vm(uuid);
        nodes.Directory(vm, StorePermissions.OwnedBy(0));
        nodes.Value(vm / "uuid", uuid.ToString());
        nodes.Value(vm / "name", Name);
        nodes.Value(vm / "start_time", $"{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0:F2}");

        nodes.Directory(Home, Shown);
        nodes.Value(Home / "vm", vm.Value);
        nodes.Value(Home / "name", Name);
        nodes.Value(Home / "domid", domain.Value);
        for (int cpu = 0; cpu < VCpus; cpu++)
            nodes.Value(Home / "cpu" / cpu / "availability", "online");
        nodes.Value(Home / "memory/static-max", MemoryMiB << 10);
        nodes.Value(Home / "memory/target", MemoryMiB << 10);
        nodes.Value(Home / "memory/videoram", 0);

        nodes.Value(Home / "control/platform-feature-multiprocessor-suspend", 1);
        nodes.Value(Home / "control/platform-feature-xs_reset_watches", 1);
        foreach (string name in new[]
        {
            "control/shutdown", "control/feature-poweroff", "control/feature-reboot", "control/feature-suspend", "control/sysrq", "error",
        })
        {
            nodes.Directory(Home / name, Guests);
        }

        AddHypha(nodes);
        AddConsole(nodes);
        return nodes;
    }

    private void AddHypha(StoreNodes nodes)
    {
        nodes.Value(Home / "hypha/uuid", uuid.ToString());
        nodes.Value(Home / "hypha/image", Image);
        nodes.Value(Home / "hypha/name", Name);
        nodes.Directory(Home / "hypha/channel", Shown);
        nodes.Directory(Home / "hypha/guest", Guests);
    }

    // misc/console.txt. Unlike other front ends these nodes are not the guest's: what serves a console acts on them (XSA-57).
    private void AddConsole(StoreNodes nodes)
    {
        StoreNodes back = AddBackend(Console);
        back.Value(Console.Backend / "protocol", "vt100");

        StorePath front = Console.Frontend;
        nodes.Directory(front, Shown);
        nodes.Value(front / "backend", Console.Backend.Value);
        nodes.Value(front / "backend-id", 0);
        nodes.Value(front / "limit", ConsoleLimit);
        // Not "xenconsoled": should that daemon run as well, the console stays ours.
        nodes.Value(front / "type", "hypha");
        nodes.Value(front / "output", "log");
        nodes.Value(front / "tty", "");
    }
}
