using System.Runtime.InteropServices;

namespace Hypha.Xen;

/// <summary>This domain's end of an event channel; unbound when disposed.</summary>
/// <remarks>
/// Events are edges: several before a wait are one. The port stays masked from an event until somebody waits again, so that
/// a peer that never stops sending cannot keep this process busy beyond what it does for each wait.
/// When the other domain dies nothing is sent: who needs to know watches the domain, or uses unmap notification.
/// </remarks>
public sealed class EventChannel : SafeHandle, IEventPort
{
    private readonly EventChannels _owner;
    private readonly Pulse _pulse = new();
    private Action? _fired;
    private int _masked;

    internal EventChannel(EventChannels owner, EvtchnPort port) : base(0, ownsHandle: true)
    {
        _owner = owner;
        Port = port;
        SetHandle((nint)port.Value);
    }

    public EvtchnPort Port { get; }

    public override bool IsInvalid => handle == 0;

    /// <summary>Sends an event to the other end.</summary>
    public void Notify()
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        _owner.Notify(Port);
    }

    /// <summary>Waits for an event, or returns at once when one came since the last wait. One waiter at a time.</summary>
    /// <returns>False when the channel was disposed.</returns>
    public ValueTask<bool> WaitAsync(CancellationToken cancellation = default)
    {
        Arm();
        return _pulse.WaitAsync(cancellation);
    }

    /// <summary>Called on the thread that serves all channels, instead of waking a waiter; it must not block.</summary>
    void IEventPort.OnEvent(Action fired) => Volatile.Write(ref _fired, fired);

    void IEventPort.Arm() => Arm();

    private void Arm()
    {
        if (Interlocked.Exchange(ref _masked, 0) != 0 && !IsClosed)
            _owner.Unmask(Port);
    }

    internal void Fire()
    {
        Volatile.Write(ref _masked, 1);
        if (Volatile.Read(ref _fired) is { } fired)
            fired();
        else
            _pulse.Set();
    }

    protected override bool ReleaseHandle()
    {
        bool done = _owner.Unbind(Port);
        _pulse.Close();
        return done;
    }
}
