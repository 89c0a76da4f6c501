namespace Hypha.Net.Capture;

/// <summary>
/// Bytes from one thread to another: one writes, one reads, neither waits for the other. Who writes appends piece by piece, and
/// publishes them together.
/// </summary>
/// <param name="capacity">Bytes; a power of two.</param>
internal sealed class ByteRing(int capacity)
{
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(capacity);
    private long _appended;   // the writer's
    private long _published;  // written by the writer, read by the reader
    private long _read;       // the other way round

    /// <summary>For the writer.</summary>
    public int Free => capacity - (int)(_appended - Volatile.Read(ref _read));

    public bool IsEmpty => Volatile.Read(ref _published) == Volatile.Read(ref _read);

    /// <param name="bytes">No more than <see cref="Free"/>.</param>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        int at = (int)_appended & (capacity - 1);
        int first = Math.Min(bytes.Length, capacity - at);
        bytes[..first].CopyTo(_bytes.AsSpan(at));
        bytes[first..].CopyTo(_bytes);
        _appended += bytes.Length;
    }

    /// <summary>Shows the reader all that was appended.</summary>
    public void Publish() => Volatile.Write(ref _published, _appended);

    /// <returns>How many bytes; 0 when there are none.</returns>
    public int Read(Span<byte> to)
    {
        long read = _read;
        int length = (int)Math.Min(Volatile.Read(ref _published) - read, to.Length);
        int at = (int)read & (capacity - 1);
        int first = Math.Min(length, capacity - at);
        _bytes.AsSpan(at, first).CopyTo(to);
        _bytes.AsSpan(0, length - first).CopyTo(to[first..]);
        Volatile.Write(ref _read, read + length);
        return length;
    }
}
