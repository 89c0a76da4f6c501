namespace Hypha.Guest.Streams;

/// <summary>
/// What a container wrote and the host has not taken: bounded, read by offset, freed by the next read's offset. Whoever appends to
/// a full buffer waits, so that in the end the container does. One appender; reads of any number.
/// </summary>
public sealed class OutputBuffer(int capacity)
{
    private const int FirstSize = 4096;

    private readonly object _gate = new(); // also a condition: space
    private byte[] _ring = new byte[Math.Min(FirstSize, capacity)];
    private long _start; // offset of the first byte kept
    private long _end;
    private bool _ended;
    private TaskCompletionSource _grown = new();

    /// <summary>Appends all bytes, waiting for space.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            TaskCompletionSource grown;
            lock (_gate)
            {
                while (_end - _start == capacity)
                    Monitor.Wait(_gate);
                int count = (int)Math.Min(bytes.Length, capacity - (_end - _start));
                Reserve(count);
                Copy(bytes[..count], _end);
                _end += count;
                bytes = bytes[count..];
                grown = _grown;
                _grown = new TaskCompletionSource();
            }
            grown.SetResult(); // outside the lock: readers go on here, in this thread
        }
    }

    /// <summary>Nothing more will be appended.</summary>
    public void End()
    {
        lock (_gate)
            _ended = true;
        _grown.TrySetResult();
    }

    /// <summary>Frees what lies before <paramref name="offset"/>, then waits until there is something at it, or the end.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The offset lies beyond what was ever written.</exception>
    public async Task<OutputPiece> ReadAsync(long offset, int maxBytes, CancellationToken ct)
    {
        while (true)
        {
            Task grown;
            lock (_gate)
            {
                ArgumentOutOfRangeException.ThrowIfNegative(offset);
                ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, _end);
                if (offset > _start)
                {
                    _start = offset;
                    Monitor.PulseAll(_gate);
                }
                long from = Math.Max(offset, _start);
                int count = (int)Math.Min(maxBytes, _end - from);
                if (count > 0 || _ended)
                    return new OutputPiece(from, Take(from, count), _ended && from + count == _end);
                grown = _grown.Task;
            }
            await grown.WaitAsync(ct).ConfigureAwait(false);
        }
    }

    private void Reserve(int count)
    {
        int kept = (int)(_end - _start);
        if (kept + count <= _ring.Length)
            return;
        byte[] old = _ring;
        byte[] saved = Take(_start, kept);
        _ring = new byte[Math.Min(capacity, Math.Max(kept + count, 2 * old.Length))];
        Copy(saved, _start);
    }

    private void Copy(ReadOnlySpan<byte> bytes, long offset)
    {
        int at = (int)(offset % _ring.Length);
        int first = Math.Min(bytes.Length, _ring.Length - at);
        bytes[..first].CopyTo(_ring.AsSpan(at));
        bytes[first..].CopyTo(_ring);
    }

    private byte[] Take(long offset, int count)
    {
        var bytes = new byte[count];
        int at = (int)(offset % _ring.Length);
        int first = Math.Min(count, _ring.Length - at);
        _ring.AsSpan(at, first).CopyTo(bytes);
        _ring.AsSpan(0, count - first).CopyTo(bytes.AsSpan(first));
        return bytes;
    }
}

/// <summary>Bytes of a stream from <paramref name="Offset"/> on; <paramref name="IsEnd"/>: nothing follows them.</summary>
public readonly record struct OutputPiece(long Offset, byte[] Data, bool IsEnd);
