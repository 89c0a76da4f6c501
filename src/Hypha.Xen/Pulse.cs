using System.Threading.Tasks.Sources;

namespace Hypha.Xen;

/// <summary>
/// Says that something happened, to one waiter. Pulses before the wait, however many, end the next wait at once; so none is
/// lost. Waiting allocates nothing.
/// </summary>
internal sealed class Pulse : IValueTaskSource<bool>
{
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _cancellation;
    private bool _pending;
    private bool _waiting;
    private bool _closed;

    /// <returns>True after a pulse; false once closed.</returns>
    internal ValueTask<bool> WaitAsync(CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        short version;
        lock (_lock)
        {
            if (_waiting)
                throw new InvalidOperationException("somebody else waits for this already");
            if (_pending || _closed)
            {
                bool pulsed = _pending;
                _pending = false;
                return ValueTask.FromResult(pulsed);
            }

            _source.Reset();
            version = _source.Version;
            _waiting = true;
        }

        if (cancellation.CanBeCanceled)
            _cancellation = cancellation.UnsafeRegister(static (pulse, token) => ((Pulse)pulse!).Cancel(token), this);
        return new ValueTask<bool>(this, version);
    }

    internal void Set()
    {
        lock (_lock)
        {
            if (!_waiting)
            {
                _pending = true;
                return;
            }

            _waiting = false;
        }

        _source.SetResult(true);
    }

    /// <summary>Ends the present wait and all later ones.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            _closed = true;
            if (!_waiting)
                return;
            _waiting = false;
        }

        _source.SetResult(false);
    }

    private void Cancel(CancellationToken token)
    {
        lock (_lock)
        {
            if (!_waiting)
                return;
            _waiting = false;
        }

        _source.SetException(new OperationCanceledException(token));
    }

    bool IValueTaskSource<bool>.GetResult(short token)
    {
        // Disposing waits for a callback that runs now, so that it cannot reach the next wait.
        _cancellation.Dispose();
        _cancellation = default;
        return _source.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
