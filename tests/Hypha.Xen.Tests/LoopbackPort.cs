namespace Hypha.Xen.Tests;

/// <summary>Two ends of an event channel in one process, masked as the kernel's are: an event, then none until it is armed again.</summary>
internal sealed class LoopbackPort : IEventPort
{
    private readonly Lock _lock = new();
    private LoopbackPort? _other;
    private Action? _fired;
    private bool _masked;
    private bool _pending;
    private bool _closed;

    internal int Sent;
    internal int Received;

    internal static (LoopbackPort Left, LoopbackPort Right) Pair()
    {
        var left = new LoopbackPort();
        var right = new LoopbackPort { _other = left };
        left._other = right;
        return (left, right);
    }

    public void Notify()
    {
        Interlocked.Increment(ref Sent);
        _other!.Event();
    }

    private void Event()
    {
        lock (_lock)
        {
            if (_closed)
                return;
            if (_masked || _fired is null)
            {
                _pending = true;
                return;
            }

            _masked = true;
            Received++;
        }

        _fired!();
    }

    public void Arm()
    {
        lock (_lock)
        {
            _masked = false;
            if (!_pending)
                return;
            _pending = false;
        }

        Event();
    }

    public void OnEvent(Action fired) => _fired = fired;

    public void Dispose()
    {
        lock (_lock)
            _closed = true;
    }
}
