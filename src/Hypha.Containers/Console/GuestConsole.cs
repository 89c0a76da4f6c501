using Hypha.Xen;

namespace Hypha.Containers.Console;

/// <summary>
/// A guest's console, served by this process: its page mapped, its event channel bound, its output kept in a bounded log. A
/// process that dies leaves ring and channel as they are, so the next one attaches with the same frame and port.
/// </summary>
public sealed class GuestConsole : IAsyncDisposable
{
    private readonly ForeignMemory _page;
    private readonly EventChannel _channel;
    private readonly ConsoleRing _ring;
    private readonly Task _pumping;
    private int _disposed;

    private GuestConsole(ForeignMemory page, EventChannel channel, BoundedLog log)
    {
        _page = page;
        _channel = channel;
        Log = log;
        _ring = new ConsoleRing(page.Memory);
        var pump = new ConsolePump(_ring, log, () => channel.WaitAsync(), Notify);
        _pumping = Task.Run(pump.RunAsync);
    }

    /// <summary>All that the guest's kernel and init have said, as far as it is kept.</summary>
    public BoundedLog Log { get; }

    /// <param name="frame">The console's page, a frame of the machine.</param>
    /// <param name="port">The guest's end of the event channel.</param>
    /// <param name="log">The caller's, who keeps it when the guest is gone.</param>
    /// <exception cref="XenException">The domain is gone, or somebody else serves its console.</exception>
    public static GuestConsole Attach(Hypervisor xen, EventChannels events, DomainId domain, Mfn frame, EvtchnPort port, BoundedLog log)
    {
        ForeignMemory page = ForeignMemory.Map(xen, domain, [frame]);
        EventChannel? channel = null;
        try
        {
            channel = events.BindInterdomain(domain, port);
            return new GuestConsole(page, channel, log);
        }
        catch
        {
            channel?.Dispose();
            page.Dispose();
            throw;
        }
    }

    /// <summary>Types into the guest's console, as much as there is room for. One writer at a time.</summary>
    /// <returns>How many bytes the ring took.</returns>
    public int Write(ReadOnlySpan<byte> input)
    {
        int count = _ring.Write(input);
        if (count > 0)
            Notify();
        return count;
    }

    /// <summary>Takes what the ring still holds, then lets go of page and channel: a dead domain's last page goes with it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _channel.Dispose();
        await _pumping.ConfigureAwait(false);
        _page.Dispose();
    }

    private void Notify()
    {
        try
        {
            _channel.Notify();
        }
        catch (Exception error) when (error is XenException or ObjectDisposedException)
        {
            // the guest is gone, or we are about to be: what the ring holds is read all the same
        }
    }
}
