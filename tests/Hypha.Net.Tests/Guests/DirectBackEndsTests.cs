using Hypha.Net.Guests;
using Hypha.XenStore;
using Hypha.XenStore.Tests.Daemon;

namespace Hypha.Net.Tests.Guests;

/// <summary>Back ends of our own against Xen's own xenstored; hyphad's part and the guest's are played here.</summary>
public sealed class DirectBackEndsTests(StoreDaemon daemon) : IClassFixture<StoreDaemon>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Told _told = new();

    private static StorePath Back(int domain) => StorePath.Domain(0) / "backend/hvif" / domain / 0;

    private static StorePath Front(int domain) => StorePath.Domain(domain) / "device/vif/0";

    private static Task Prepare(XenStoreClient store, int domain) => store.TransactAsync(transaction =>
    {
        StorePath place = StorePath.Domain(domain) / "hypha/network/0";
        transaction.Write(place / "network", "default");
        transaction.Write(place / "mac", "02:75:0a:4b:00:02");
        transaction.Write(place / "address", "10.75.0.2/16");
        transaction.Write(Front(domain) / "state", "1");
        transaction.Write(Back(domain) / "online", "1");
        transaction.Write(Back(domain) / "state", "1");
    });

    private static Task Connect(XenStoreClient store, int domain, params (string Name, string Value)[] nodes) => store.TransactAsync(transaction =>
    {
        foreach ((string name, string value) in nodes)
            transaction.Write(Front(domain) / name, value);
        transaction.Write(Front(domain) / "state", "4");
    });

    private static readonly (string, string)[] s_nodes =
    [
        ("request-rx-copy", "1"), ("tx-ring-ref", "8"), ("rx-ring-ref", "9"), ("event-channel-tx", "3"), ("event-channel-rx", "4"), ("multi-queue-num-queues", "1"),
        ("feature-sg", "1"), ("feature-gso-tcpv4", "1"), ("feature-gso-tcpv6", "1"), ("feature-ipv6-csum-offload", "1"),
    ];

    private static async Task Until(XenStoreClient store, StorePath path, string value)
    {
        using var patience = new CancellationTokenSource(s_patience);
        await store.WaitForAsync(path, now => now == value, patience.Token);
    }

    private Task Begin(CancellationToken stop) => new DirectBackEnds(daemon.Connect, _told, _ => { }).RunAsync(stop);

    [Fact]
    public async Task A_front_end_is_offered_served_taken_over_by_the_next_process_and_let_go()
    {
        using XenStoreClient store = daemon.Connect();
        using var stop = new CancellationTokenSource();
        await Prepare(store, 7);
        Task serving = Begin(stop.Token);
        await Until(store, Back(7) / "state", "2");
        Assert.Equal("1", await store.ReadAsync(Back(7) / "feature-gso-tcpv6"));
        await Connect(store, 7, s_nodes);
        Assert.Equal("7 default 10.75.0.2/16 8/9/3/4 segments", await _told.Next());
        await Until(store, Back(7) / "state", "4");

        await stop.CancelAsync();
        await serving.ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.Equal("4", await store.ReadAsync(Back(7) / "state"));
        using var again = new CancellationTokenSource();
        serving = Begin(again.Token);
        Assert.Equal("7 default 10.75.0.2/16 8/9/3/4 segments", await _told.Next());

        // As hyphad takes a device away.
        await store.TransactAsync(transaction =>
        {
            transaction.Write(Back(7) / "online", "0");
            transaction.Write(Back(7) / "state", "5");
            transaction.Write(Front(7) / "state", "6");
        });
        Assert.Equal("7 gone", await _told.Next());
        await Until(store, Back(7) / "state", "6");
        await store.RemoveAsync(Back(7));
        await again.CancelAsync();
        await serving.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task A_front_end_that_closes_and_comes_back_is_served_anew_and_moves_take_their_place()
    {
        using XenStoreClient store = daemon.Connect();
        using var stop = new CancellationTokenSource();
        await Prepare(store, 8);
        Task serving = Begin(stop.Token);
        await Until(store, Back(8) / "state", "2");
        await Connect(store, 8, s_nodes);
        Assert.StartsWith("8 default", await _told.Next(), StringComparison.Ordinal);
        await Until(store, Back(8) / "state", "4");
        await store.WriteAsync(Front(8) / "state", "5");
        Assert.Equal("8 gone", await _told.Next());
        await Until(store, Back(8) / "state", "5");
        await store.WriteAsync(Front(8) / "state", "6");
        await Until(store, Back(8) / "state", "6");
        await store.WriteAsync(Front(8) / "state", "1");
        await Until(store, Back(8) / "state", "2");
        await Connect(store, 8, s_nodes);
        Assert.StartsWith("8 default", await _told.Next(), StringComparison.Ordinal);

        await store.TransactAsync(transaction =>
        {
            transaction.Write(StorePath.Domain(8) / "hypha/network/0/network", "other");
            transaction.Write(Back(8) / "hypha-network", "1");
        });
        Assert.Equal("8 gone", await _told.Next());
        Assert.StartsWith("8 other", await _told.Next(), StringComparison.Ordinal);
        await store.RemoveAsync(Back(8));
        Assert.Equal("8 gone", await _told.Next());
        Assert.Null(await store.TryReadAsync(Back(8) / "state"));
        await stop.CancelAsync();
        await serving.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Theory]
    [InlineData("tx-ring-ref", "-1")]
    [InlineData("rx-ring-ref", "99999999999")]
    [InlineData("event-channel-tx", "")]
    [InlineData("event-channel-rx", "0")]
    [InlineData("multi-queue-num-queues", "1000000")]
    [InlineData("multi-queue-num-queues", "2")] // without their nodes
    [InlineData("request-rx-copy", "0")]
    public async Task Nonsense_of_a_front_end_is_told_once_and_served_once_it_is_mended(string name, string value)
    {
        using XenStoreClient store = daemon.Connect();
        using var stop = new CancellationTokenSource();
        await Prepare(store, 9);
        Task serving = Begin(stop.Token);
        await Until(store, Back(9) / "state", "2");
        await Connect(store, 9, [.. s_nodes, (name, value)]);
        Assert.StartsWith("9 failed", await _told.Next(), StringComparison.Ordinal);
        await store.WriteAsync(Front(9) / "state", "4");
        await Connect(store, 9, s_nodes);
        Assert.StartsWith("9 default", await _told.Next(), StringComparison.Ordinal);
        await store.RemoveAsync(Back(9));
        Assert.Equal("9 gone", await _told.Next());
        await stop.CancelAsync();
        await serving.ContinueWith(_ => { }, TaskScheduler.Default);
        await store.RemoveAsync(Front(9));
    }
}
