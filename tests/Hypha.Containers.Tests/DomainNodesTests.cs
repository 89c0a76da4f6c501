using Hypha.Containers.Devices;
using Hypha.DomainBuilder;
using Hypha.Xen;
using Hypha.XenStore;
using Hypha.XenStore.Tests.Daemon;

namespace Hypha.Containers.Tests;

/// <summary>Against Xen's own xenstored; the back end's part is played here.</summary>
public sealed class DomainNodesTests(StoreDaemon daemon) : IClassFixture<StoreDaemon>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static int s_lastDomain = 100;

    private readonly DomainId _domain = new((ushort)Interlocked.Increment(ref s_lastDomain));
    private readonly Guid _uuid = Guid.NewGuid();

    private StorePath Home => StorePath.Domain(_domain.Value);

    [Fact]
    public async Task A_guest_gets_the_standard_nodes_and_Hyphas()
    {
        using XenStoreClient store = daemon.Connect();
        await WriteAsync(store, Nodes());
        Assert.Equal($"/vm/{_uuid}", await store.ReadAsync(Home / "vm"));
        Assert.Equal("web", await store.ReadAsync(Home / "name"));
        Assert.Equal(_domain.Value.ToString(), await store.ReadAsync(Home / "domid"));
        Assert.Equal(["0", "1"], await store.ListAsync(Home / "cpu"));
        Assert.Equal("online", await store.ReadAsync(Home / "cpu/1/availability"));
        Assert.Equal((256 << 10).ToString(), await store.ReadAsync(Home / "memory/target"));
        Assert.Equal("12345", await store.ReadAsync(Home / "console/ring-ref"));
        Assert.Equal("5", await store.ReadAsync(Home / "console/port"));
        Assert.Equal("6", await store.ReadAsync(Home / "store/port"));
        Assert.Equal(_uuid.ToString(), await store.ReadAsync(Home / "hypha/uuid"));
        Assert.Equal("web", await store.ReadAsync((StorePath)"/vm" / _uuid.ToString() / "name"));
        Assert.True(await store.IsIntroducedAsync(_domain.Value));
    }

    [Fact]
    public async Task A_guest_may_write_what_is_its_own_and_read_the_rest()
    {
        using XenStoreClient store = daemon.Connect();
        BlockDevice disk = new(51712, "/image");
        DomainNodes nodes = Nodes();
        disk.AddNodes(nodes, "/dev/loop3", 7, 3);
        await WriteAsync(store, nodes);

        string shown = $"n0,r{_domain.Value}", guests = $"n{_domain.Value}";
        DevicePaths paths = disk.Paths(_domain);
        foreach (StorePath path in new[]
        {
            Home, Home / "name", Home / "memory/target", Home / "console", Home / "console/tty", Home / "console/ring-ref", Home / "hypha",
            Home / "hypha/channel", Home / "control", Home / "device", paths.Backend, paths.Backend / "mode", paths.Backend / "physical-device",
        })
        {
            Assert.Equal((path, shown), (path, (await store.GetPermissionsAsync(path)).ToString()));
        }
        foreach (StorePath path in new[] { Home / "control/shutdown", Home / "error", Home / "hypha/guest", Home / "error" })
            Assert.Equal((path, guests), (path, (await store.GetPermissionsAsync(path)).ToString()));
        Assert.Equal($"{guests},r0", (await store.GetPermissionsAsync(paths.Frontend / "state")).ToString());
        Assert.Equal("n0", (await store.GetPermissionsAsync((StorePath)"/vm" / _uuid.ToString())).ToString());
    }

    [Fact]
    public async Task A_disk_names_its_device_and_is_read_only_in_the_back_end()
    {
        using XenStoreClient store = daemon.Connect();
        BlockDevice disk = new(51728, "/image");
        DomainNodes nodes = Nodes();
        disk.AddNodes(nodes, "/dev/loop30", 7, 30);
        await WriteAsync(store, nodes);
        DevicePaths paths = disk.Paths(_domain);
        Assert.Equal("r", await store.ReadAsync(paths.Backend / "mode"));
        Assert.Equal("7:1e", await store.ReadAsync(paths.Backend / "physical-device"));
        Assert.Equal("xvdb", await store.ReadAsync(paths.Backend / "dev"));
        Assert.Equal(paths.Frontend.Value, await store.ReadAsync(paths.Backend / "frontend"));
        Assert.Equal(paths.Backend.Value, await store.ReadAsync(paths.Frontend / "backend"));
        Assert.Equal("51728", await store.ReadAsync(paths.Frontend / "virtual-device"));
    }

    [Fact]
    public async Task Removal_waits_for_the_back_end_and_leaves_nothing()
    {
        using XenStoreClient store = daemon.Connect();
        string[] before = await Dump(store, "/");
        BlockDevice disk = new(51712, "/image");
        DomainNodes nodes = Nodes();
        disk.AddNodes(nodes, "/dev/loop3", 7, 3);
        await WriteAsync(store, nodes);
        DevicePaths paths = disk.Paths(_domain);
        await store.WriteAsync(paths.Backend / "state", "4");

        Task removal = DomainNodes.RemoveAsync(store, _domain, _uuid);
        await store.WaitForAsync(paths.Frontend / "state", state => state == "6").WaitAsync(s_patience);
        Assert.Equal("0", await store.ReadAsync(paths.Backend / "online"));
        Assert.Equal("5", await store.ReadAsync(paths.Backend / "state"));
        Assert.False(removal.IsCompleted);
        await store.WriteAsync(paths.Backend / "state", "6");
        await removal.WaitAsync(s_patience);

        Assert.Equal(before, (await Dump(store, "/")).Where(path => path is not ("/local" or "/local/domain" or "/local/domain/0"
            or "/local/domain/0/backend" or "/local/domain/0/backend/vbd" or "/local/domain/0/backend/console" or "/vm") || before.Contains(path)));
        Assert.False(await store.IsIntroducedAsync(_domain.Value));
        await DomainNodes.RemoveAsync(store, _domain, _uuid).WaitAsync(s_patience);
    }

    [Fact]
    public async Task Removal_does_not_wait_for_a_back_end_whose_front_end_the_store_removed_with_its_dead_owner()
    {
        using XenStoreClient store = daemon.Connect();
        BlockDevice disk = new(51712, "/image");
        DomainNodes nodes = Nodes();
        disk.AddNodes(nodes, "/dev/loop3", 7, 3);
        await WriteAsync(store, nodes);
        await store.WriteAsync(disk.Paths(_domain).Backend / "state", "4");
        await store.RemoveAsync(disk.Paths(_domain).Frontend);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await DomainNodes.RemoveAsync(store, _domain, _uuid).WaitAsync(s_patience);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2.5), $"it took {clock.Elapsed}");
        Assert.Null(await store.TryReadAsync(disk.Paths(_domain).Backend));
    }

    [Fact]
    public async Task Removal_touches_nothing_of_another_domain_that_has_the_number_by_now()
    {
        using XenStoreClient store = daemon.Connect();
        await WriteAsync(store, Nodes());
        string[] before = await Dump(store, Home);
        StorePath foreign = DevicePaths.Backends / "vif" / _domain.Value / 0;
        await store.WriteAsync(foreign / "state", "4");
        await DomainNodes.RemoveAsync(store, _domain, Guid.NewGuid()).WaitAsync(s_patience);
        Assert.Equal(before, await Dump(store, Home));
        Assert.Equal("4", await store.ReadAsync(foreign / "state"));
        Assert.True(await store.IsIntroducedAsync(_domain.Value));
        await store.RemoveAsync(foreign);
        await DomainNodes.RemoveAsync(store, _domain, _uuid).WaitAsync(s_patience);
    }

    [Fact]
    public async Task A_back_end_that_never_lets_go_delays_the_removal_and_no_more()
    {
        using XenStoreClient store = daemon.Connect();
        BlockDevice disk = new(51712, "/image");
        DomainNodes nodes = Nodes();
        disk.AddNodes(nodes, "/dev/loop3", 7, 3);
        await WriteAsync(store, nodes);
        await store.WriteAsync(disk.Paths(_domain).Backend / "state", "4");
        // The guest is dead; what it left in its own nodes counts for nothing.
        await store.WriteAsync(disk.Paths(_domain).Frontend / "backend", "/local/domain/0");
        await DomainNodes.RemoveAsync(store, _domain, _uuid).WaitAsync(s_patience);
        Assert.Null(await store.TryReadAsync(disk.Paths(_domain).Backend));
        Assert.Null(await store.TryReadAsync(Home));
        Assert.NotNull(await store.TryReadAsync("/local/domain/0"));
    }

    private DomainNodes Nodes() => new(_domain, _uuid)
    {
        Name = "web",
        Image = "registry.local/web:1",
        VCpus = 2,
        MemoryMiB = 256,
    };

    private BuiltDomain Built => new()
    {
        Id = _domain,
        ConsoleFrame = new Mfn(12345),
        ConsolePort = new EvtchnPort(5),
        StoreFrame = new Mfn(12346),
        StorePort = new EvtchnPort(6),
        Phases = [],
    };

    private async Task WriteAsync(XenStoreClient store, DomainNodes nodes)
    {
        await nodes.WriteAsync(store);
        await nodes.IntroduceAsync(store, Built);
    }

    private async Task<string[]> Dump(XenStoreClient store, StorePath path)
    {
        List<string> all = [];
        await Walk(path);
        return [.. all.Order(StringComparer.Ordinal)];

        async Task Walk(StorePath at)
        {
            foreach (string name in await store.TryListAsync(at))
            {
                all.Add((at / name).Value);
                await Walk(at / name);
            }
        }
    }
}
