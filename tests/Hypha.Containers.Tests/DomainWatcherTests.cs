using Hypha.Containers.Life;
using Hypha.Xen;
using Hypha.XenStore;
using Hypha.XenStore.Tests.Daemon;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hypha.Containers.Tests;

public sealed class DomainWatcherTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly StoreDaemon _daemon = new();
    private readonly Guid _handle = Guid.NewGuid();
    private volatile IReadOnlyList<DomainState> _domains = [];

    [Theory]
    [InlineData(ShutdownReason.PowerOff, "the guest powered off")]
    [InlineData(ShutdownReason.Crash, "the guest crashed")]
    [InlineData((ShutdownReason)77, "the guest shut down (reason 77)")]
    public async Task Who_waits_is_told_why_a_domain_ended_when_the_store_says_that_one_did(ShutdownReason reason, string sentence)
    {
        using XenStoreClient store = _daemon.Connect();
        await store.IntroduceAsync(7, 1, 1);
        _domains = [Running(3), Running(7)];
        await using var watcher = new DomainWatcher(() => _domains, store, NullLogger.Instance);
        Task<string> end = watcher.WaitForEndAsync(new DomainId(7), _handle);
        Task<string> other = watcher.WaitForEndAsync(new DomainId(3), _handle);
        _domains = [Running(3), Running(7) with { IsShutdown = true, Reason = reason }];
        await store.ReleaseAsync(7);
        Assert.Equal(sentence, await end.WaitAsync(s_patience));
        Assert.False(other.IsCompleted);
    }

    [Fact]
    public async Task A_domain_that_ended_before_anybody_waited_is_told_at_once()
    {
        using XenStoreClient store = _daemon.Connect();
        await using var watcher = new DomainWatcher(() => _domains, store, NullLogger.Instance);
        Assert.Contains("gone", await watcher.WaitForEndAsync(new DomainId(9), _handle).WaitAsync(s_patience));
        _domains = [Running(9) with { Handle = Guid.NewGuid() }];
        Assert.Contains("gone", await watcher.WaitForEndAsync(new DomainId(9), _handle).WaitAsync(s_patience));
    }

    [Fact]
    public async Task The_end_of_a_guest_is_seen_without_the_store_too()
    {
        using XenStoreClient store = _daemon.Connect();
        _domains = [Running(7)];
        await using var watcher = new DomainWatcher(() => _domains, store, NullLogger.Instance);
        Task<string> end = watcher.WaitForEndAsync(new DomainId(7), _handle);
        _daemon.Kill();
        _domains = [];
        Assert.Contains("gone", await end.WaitAsync(s_patience));
    }

    public void Dispose() => _daemon.Dispose();

    private DomainState Running(ushort id) => new(new DomainId(id), _handle, false, default, false);
}
