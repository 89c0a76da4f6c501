using Hypha.Xen;
using Hypha.XenStore;
using Microsoft.Extensions.Logging;

namespace Hypha.Containers.Life;

/// <summary>What the hypervisor says of a domain, as far as its end is concerned.</summary>
internal readonly record struct DomainState(DomainId Id, Guid Handle, bool IsShutdown, ShutdownReason Reason, bool IsDying);

/// <summary>
/// Tells who waits when a domain has shut down or is gone. The store says that something happened to some domain
/// (@releaseDomain), the hypervisor says what: one list for all waiters, and none while nothing happens.
/// </summary>
public sealed partial class DomainWatcher : IAsyncDisposable
{
    private static readonly TimeSpan s_withoutStore = TimeSpan.FromMilliseconds(500);

    private readonly Func<IReadOnlyList<DomainState>> _list;
    private readonly XenStoreClient _store;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<(DomainId, Guid), TaskCompletionSource<string>> _waiting = [];
    private readonly Task _watching;

    public DomainWatcher(Hypervisor xen, XenStoreClient store, ILogger logger)
        : this(() => [.. xen.ListDomains().Select(d => new DomainState(d.Id, d.Handle, d.IsShutdown, d.ShutdownReason, d.IsDying))], store, logger)
    {
    }

    internal DomainWatcher(Func<IReadOnlyList<DomainState>> list, XenStoreClient store, ILogger logger)
    {
        _list = list;
        _store = store;
        _logger = logger;
        _watching = Task.Run(WatchAsync);
    }

    /// <summary>Completes when the domain has shut down, dies, or is not there, with why: "the guest crashed". Never fails.</summary>
    public Task<string> WaitForEndAsync(DomainId domain, Guid handle)
    {
        Task<string> end;
        lock (_gate)
        {
            if (!_waiting.TryGetValue((domain, handle), out var waiter))
                _waiting.Add((domain, handle), waiter = new(TaskCreationOptions.RunContinuationsAsynchronously));
            end = waiter.Task;
        }
        Look(); // it may have ended before anybody waited
        return end;
    }

    /// <summary>Waits until the hypervisor knows a destroyed domain no more: until nobody maps a page of it.</summary>
    /// <returns>False when somebody still held it at the deadline.</returns>
    public async Task<bool> WaitUntilGoneAsync(DomainId domain, Guid handle, TimeSpan deadline)
    {
        // The store has forgotten the domain by now and says nothing any more: look, ever more slowly, not for ever.
        var clock = System.Diagnostics.Stopwatch.StartNew();
        for (int pause = 1; _list().Any(found => found.Id == domain && found.Handle == handle); pause = Math.Min(pause * 2, 100))
        {
            if (clock.Elapsed > deadline)
                return false;
            await Task.Delay(pause).ConfigureAwait(false);
        }
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        try
        {
            await WatchStoreAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task WatchStoreAsync()
    {
        try
        {
            await using StoreWatch watch = await _store.WatchAsync("@releaseDomain", _stop.Token).ConfigureAwait(false);
            await foreach (WatchEvent _ in watch.ReadAllAsync(_stop.Token).ConfigureAwait(false))
                Look();
        }
        catch (StoreException error)
        {
            LogWithoutStore(_logger, error.Message);
        }
        // Guests go on without the store, and end without it: better asked twice a second than missed.
        using var timer = new PeriodicTimer(s_withoutStore);
        while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            Look();
    }

    private void Look()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
                return;
        }
        IReadOnlyList<DomainState> domains;
        try
        {
            domains = _list();
        }
        catch (XenException error) // the next event asks again
        {
            LogNoList(_logger, error.Message);
            return;
        }
        var found = domains.ToDictionary(domain => (domain.Id, domain.Handle));
        lock (_gate)
        {
            foreach (var (key, waiter) in _waiting.ToList())
            {
                string? end = found.TryGetValue(key, out DomainState state) ? End(state) : "the guest's domain is gone: somebody destroyed it";
                if (end is null)
                    continue;
                _waiting.Remove(key);
                waiter.TrySetResult(end);
            }
        }
    }

    private static string? End(DomainState domain) => domain switch
    {
        { IsShutdown: true, Reason: ShutdownReason.PowerOff } => "the guest powered off",
        { IsShutdown: true, Reason: ShutdownReason.Reboot } => "the guest asked for a reboot",
        { IsShutdown: true, Reason: ShutdownReason.Suspend } => "the guest suspended itself",
        { IsShutdown: true, Reason: ShutdownReason.Crash } => "the guest crashed",
        { IsShutdown: true, Reason: ShutdownReason.Watchdog } => "the guest's watchdog ended it",
        { IsShutdown: true } => $"the guest shut down (reason {(int)domain.Reason})",
        { IsDying: true } => "the guest's domain was destroyed",
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Why}; the ends of guests are now looked for twice a second")]
    private static partial void LogWithoutStore(ILogger logger, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "the list of domains cannot be read: {Why}")]
    private static partial void LogNoList(ILogger logger, string why);
}
