namespace Hypha.Containers.Console;

/// <summary>
/// Bytes kept on disk up to a limit: a current file and an older one, each at most half of it. When the current one is full it
/// becomes the older one, and the older one goes. Both are plain text for whoever looks with cat or tail.
/// </summary>
/// <remarks>
/// Offsets count from the first byte that was kept when the log was opened; they only grow. Safe to use from several threads.
/// </remarks>
public sealed class BoundedLog : IDisposable
{
    /// <summary>Bytes kept by default.</summary>
    public const long DefaultLimit = 1 << 20;

    private const int ChunkSize = 16 << 10;
    private const FileShare Shared = FileShare.ReadWrite | FileShare.Delete;

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly int _segmentLimit;
    private FileStream? _older;
    private FileStream _current;
    private long _currentStart;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _completed;

    public BoundedLog(string path, long limit = DefaultLimit)
    {
        _path = path;
        _segmentLimit = checked((int)(limit / 2));
        ArgumentOutOfRangeException.ThrowIfLessThan(_segmentLimit, 1, nameof(limit));
        _older = File.Exists(OlderPath) ? new FileStream(OlderPath, FileMode.Open, FileAccess.Read, Shared, bufferSize: 0) : null;
        _current = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, Shared, bufferSize: 0);
        _current.Position = _current.Length;
        _currentStart = _older?.Length ?? 0;
    }

    /// <summary>Offset of the oldest byte that is still there.</summary>
    public long Start
    {
        get
        {
            lock (_gate)
                return _currentStart - (_older?.Length ?? 0);
        }
    }

    /// <summary>Offset of the next byte.</summary>
    public long End
    {
        get
        {
            lock (_gate)
                return _currentStart + _current.Position;
        }
    }

    private string OlderPath => _path + ".1";

    public void Append(ReadOnlySpan<byte> bytes)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            while (!bytes.IsEmpty)
            {
                int room = _segmentLimit - (int)Math.Min(_current.Position, _segmentLimit);
                if (room == 0)
                {
                    Rotate();
                    continue;
                }
                int count = Math.Min(room, bytes.Length);
                _current.Write(bytes[..count]);
                bytes = bytes[count..];
            }
            (changed, _changed) = (_changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        changed.TrySetResult();
    }

    /// <summary>Nothing more will be appended: who follows comes to an end.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            _changed.TrySetResult();
        }
    }

    /// <summary>Copies what is kept from <paramref name="offset"/> on. An offset that is no longer kept moves to the oldest byte that is.</summary>
    /// <returns>How many bytes; 0 at the end.</returns>
    public int Read(ref long offset, Span<byte> buffer)
    {
        lock (_gate)
        {
            long olderLength = _older?.Length ?? 0;
            offset = Math.Clamp(offset, _currentStart - olderLength, _currentStart + _current.Position);
            int count = offset < _currentStart
                ? RandomAccess.Read(_older!.SafeFileHandle, buffer[..(int)Math.Min(buffer.Length, _currentStart - offset)], offset - (_currentStart - olderLength))
                : RandomAccess.Read(_current.SafeFileHandle, buffer, offset - _currentStart);
            offset += count;
            return count;
        }
    }

    /// <summary>What is kept from <paramref name="offset"/> on, then what comes, until <see cref="Complete"/>. A slow reader misses what was dropped meanwhile.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> FollowAsync(long offset,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (true)
        {
            Task changed;
            bool completed;
            lock (_gate)
                (changed, completed) = (_changed.Task, _completed);
            var chunk = new byte[ChunkSize];
            int count;
            while ((count = Read(ref offset, chunk)) > 0)
            {
                yield return chunk.AsMemory(0, count);
                chunk = new byte[ChunkSize];
            }
            if (completed)
                yield break;
            await changed.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        Complete();
        lock (_gate)
        {
            _older?.Dispose();
            _current.Dispose();
        }
    }

    private void Rotate()
    {
        File.Move(_path, OlderPath, overwrite: true);
        var next = new FileStream(_path, FileMode.Create, FileAccess.ReadWrite, Shared, bufferSize: 0);
        _older?.Dispose();
        _currentStart += _current.Position;
        (_older, _current) = (_current, next);
    }
}
