namespace Hypha.Oci.Store;

/// <summary>One pull that several callers may wait for. It ends early when the last of them gives up.</summary>
internal sealed class PullJob : IProgress<ImageProgress>
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<IProgress<ImageProgress>> _listeners = [];
    private ImageProgress? _last;
    private int _waiters; // guarded by the store's lock

    private PullJob() => Task = null!;

    internal Task<StoredImage> Task { get; private set; }

    internal static PullJob Start(Func<IProgress<ImageProgress>, CancellationToken, Task<StoredImage>> pull)
    {
        var job = new PullJob();
        job.Task = System.Threading.Tasks.Task.Run(() => pull(job, job._stop.Token));
        return job;
    }

    internal void Join(IProgress<ImageProgress>? listener)
    {
        _waiters++;
        if (listener is null)
            return;
        lock (_listeners)
        {
            _listeners.Add(listener);
            if (_last is { } last)
                listener.Report(last);
        }
    }

    /// <returns>True when nobody waits any more; the pull is then told to stop.</returns>
    internal bool Leave(IProgress<ImageProgress>? listener)
    {
        if (listener is not null)
        {
            lock (_listeners)
                _listeners.Remove(listener);
        }
        if (--_waiters > 0)
            return false;
        _stop.Cancel();
        return true;
    }

    public void Report(ImageProgress value)
    {
        lock (_listeners)
        {
            _last = value;
            foreach (IProgress<ImageProgress> listener in _listeners)
                listener.Report(value);
        }
    }
}
