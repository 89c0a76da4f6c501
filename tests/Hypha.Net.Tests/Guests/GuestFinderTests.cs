using Hypha.Net.Guests;
using Hypha.XenStore;
using Hypha.XenStore.Tests.Daemon;

namespace Hypha.Net.Tests.Guests;

/// <summary>Against Xen's own xenstored; hyphad's part and the back end's are played here.</summary>
public sealed class GuestFinderTests(StoreDaemon daemon) : IClassFixture<StoreDaemon>
{
    private static readonly StorePath s_backend = StorePath.Domain(0) / "backend/vif/7/0", s_place = StorePath.Domain(7) / "hypha/network/0";

    [Fact]
    public async Task A_guest_that_is_moved_is_told_of_anew_and_one_that_leaves_its_network_goes()
    {
        using XenStoreClient store = daemon.Connect();
        using var stop = new CancellationTokenSource();
        var told = new Told();
        Task finding = new GuestFinder(daemon.Connect, told, _ => { }).RunAsync(stop.Token);

        await Move(store, "default", "10.75.0.2/16", "");
        await store.WriteAsync(s_backend / "state", "4");
        Assert.Equal("7 default 10.75.0.2/16", await told.Next());
        await Move(store, "back", "10.76.0.2/24", "1");
        Assert.Equal("7 back 10.76.0.2/24", await told.Next());
        await Move(store, null, "", "2");
        Assert.Equal("7 gone", await told.Next());
        await Move(store, "default", "10.75.0.3/16", "3");
        Assert.Equal("7 default 10.75.0.3/16", await told.Next());
        // What is not of its form is served no longer as what it was.
        await Move(store, "default", "nonsense", "4");
        Assert.Equal("7 gone", await told.Next());
        Assert.StartsWith("7 failed", await told.Next(), StringComparison.Ordinal);
        await Move(store, "default", "10.75.0.4/16", "5");
        Assert.Equal("7 default 10.75.0.4/16", await told.Next());
        // Other nodes of a back end say nothing, nor does the same word once more.
        await store.WriteAsync(s_backend / "feature-x", "1");
        await store.WriteAsync(s_backend / "hypha-network", "5");
        await store.WriteAsync(s_backend / "state", "6");
        Assert.Equal("7 gone", await told.Next());
        await stop.CancelAsync();
        await finding.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    private static Task Move(XenStoreClient store, string? network, string address, string change) => store.TransactAsync(transaction =>
    {
        transaction.Write(s_place, "");
        transaction.Remove(s_place);
        if (network is not null)
        {
            transaction.Write(s_place / "network", network);
            transaction.Write(s_place / "mac", "02:75:0a:4b:00:02");
            transaction.Write(s_place / "address", address);
        }
        if (change.Length > 0)
            transaction.Write(s_backend / "hypha-network", change);
    });
}
