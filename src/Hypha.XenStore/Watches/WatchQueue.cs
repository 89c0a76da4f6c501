namespace Hypha.XenStore;

/// <summary>
/// The events of a watch that nobody has read yet. A path waits once, however often it changes, and past a limit the
/// queue forgets paths and says so: a guest that changes nodes without end costs its watcher no memory.
/// </summary>
internal sealed class WatchQueue(string watched, int limit = WatchQueue.DefaultLimit)
{
    internal const int DefaultLimit = 256; // distinct paths

    private readonly Lock _gate = new();
    private readonly Queue<string> _order = new();
    private readonly HashSet<string> _waiting = new(StringComparer.Ordinal);
    private TaskCompletionSource? _reader;
    private bool _overflowed;
    private Exception? _end;
    private bool _ended;

    public void Add(string path)
    {
        lock (_gate)
        {
            if (_ended || _overflowed)
                return;
            if (_waiting.Count >= limit && !_waiting.Contains(path))
            {
                _overflowed = true;
                _order.Clear();
                _waiting.Clear();
            }
            else if (_waiting.Add(path))
            {
                _order.Enqueue(path);
            }
            _reader?.TrySetResult();
        }
    }

    /// <param name="error">Null: the watch was removed.</param>
    public void End(Exception? error)
    {
        lock (_gate)
        {
            if (_ended)
                return;
            (_ended, _end) = (true, error);
            _reader?.TrySetResult();
        }
    }

    /// <summary>The next event; null once the watch ended.</summary>
    /// <exception cref="StoreException">The connection is lost.</exception>
    public async ValueTask<WatchEvent?> TakeAsync(CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (TryTake(out WatchEvent next))
                    return next;
                if (_ended)
                    return _end is null ? null : throw _end;
                _reader ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (_reader.Task.IsCompleted)
                    _reader = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                changed = _reader.Task;
            }
            await changed.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    private bool TryTake(out WatchEvent next)
    {
        next = default;
        if (_overflowed)
        {
            _overflowed = false;
            next = new WatchEvent(watched, Overflowed: true);
            return true;
        }
        if (!_order.TryDequeue(out string? path))
            return false;
        _waiting.Remove(path);
        next = new WatchEvent(path);
        return true;
    }
}
