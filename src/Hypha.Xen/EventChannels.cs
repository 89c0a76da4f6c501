using Hypha.Linux;

namespace Hypha.Xen;

/// <summary>
/// The event channels of this process (/dev/xen/evtchn). One thread waits for all of them, without a timeout: an idle process
/// is never woken.
/// </summary>
/// <remarks>Safe to use from several threads. Disposing it ends every wait and unbinds every port.</remarks>
public sealed class EventChannels : IDisposable
{
    private readonly EventChannelFile _file;
    private readonly EventFile _stop = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<EvtchnPort, EventChannel> _channels = [];
    private readonly HashSet<EvtchnPort> _early = []; // ports with an event that came before their channel was known here
    private readonly Thread _reader;
    private int _disposed;

    private EventChannels(EventChannelFile file)
    {
        _file = file;
        _reader = new Thread(Dispatch, maxStackSize: 128 * 1024) { IsBackground = true, Name = "event channels" };
        _reader.Start();
    }

    public static EventChannels Open() => new(new EventChannelFile(blocking: true));

    /// <inheritdoc cref="EventChannelFile.BindInterdomain"/>
    public EventChannel BindInterdomain(DomainId remote, EvtchnPort remotePort) => Know(Live.BindInterdomain(remote, remotePort));

    /// <inheritdoc cref="EventChannelFile.BindUnbound"/>
    public EventChannel BindUnbound(DomainId remote) => Know(Live.BindUnbound(remote));

    /// <inheritdoc cref="EventChannelFile.BindVirq"/>
    public EventChannel BindVirq(Virq virq) => Know(Live.BindVirq(virq));

    private EventChannelFile Live
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            return _file;
        }
    }

    private EventChannel Know(EvtchnPort port)
    {
        var channel = new EventChannel(this, port);
        bool early;
        lock (_lock)
        {
            _channels[port] = channel;
            early = _early.Remove(port);
        }

        if (early)
            channel.Fire();
        return channel;
    }

    internal void Notify(EvtchnPort port) => _file.Notify(port);

    internal void Unmask(EvtchnPort port) => _file.Unmask([port]);

    internal bool Unbind(EvtchnPort port)
    {
        lock (_lock)
            _channels.Remove(port);
        return _file.Unbind(port);
    }

    private void Dispatch()
    {
        Span<EvtchnPort> ports = stackalloc EvtchnPort[256];
        while (_stop.WaitReadable(_file.File))
        {
            int count = _file.Read(ports);
            if (count == EventChannelFile.Overflowed)
            {
                foreach (EventChannel channel in All())
                    channel.Fire();
                continue;
            }

            foreach (EvtchnPort port in ports[..count])
            {
                EventChannel? channel;
                lock (_lock)
                    if (!_channels.TryGetValue(port, out channel))
                        _early.Add(port);
                channel?.Fire();
            }
        }
    }

    private EventChannel[] All()
    {
        lock (_lock)
            return [.. _channels.Values];
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _stop.Set();
        if (Thread.CurrentThread != _reader)
            _reader.Join();
        foreach (EventChannel channel in All())
            channel.Dispose();
        _stop.Dispose();
        _file.Dispose();
    }
}

/// <summary>Interrupts that the hypervisor makes itself (public/xen.h, VIRQ_*).</summary>
public enum Virq : uint
{
    Timer = 0,
    Debug = 1,
    Console = 2,

    /// <summary>Some domain died or shut down.</summary>
    DomainException = 3,
}
