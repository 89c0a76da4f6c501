using System.Buffers.Binary;

namespace Hypha.Net.Capture;

/// <summary>
/// Copies of a guest's frames, as a pcapng file for whoever reads it. The loop writes into a ring and never waits: what has no room since the
/// reader is slow is dropped and counted.
/// </summary>
public sealed class FrameCapture
{
    private const int DefaultCapacity = 4 << 20; // bytes
    private const int LongestBeginning = 192;    // bytes: all headers that a filter looks at

    private static readonly TimeSpan s_batch = TimeSpan.FromMilliseconds(10);

    private readonly ByteRing _ring;
    private readonly CaptureFilter _filter;
    private readonly int _snapLength;
    private readonly ulong _count;
    private TaskCompletionSource? _reader;
    private ulong _seen, _taken, _dropped;
    private volatile bool _ended;

    /// <param name="interfaceName">What the file calls the link.</param>
    /// <param name="snapLength">Bytes to keep of a frame; 0: all.</param>
    /// <param name="count">Ends after so many frames; 0: never.</param>
    /// <param name="capacity">Bytes; a power of two.</param>
    public FrameCapture(string interfaceName, CaptureFilter filter, int snapLength = 0, ulong count = 0, int capacity = DefaultCapacity)
    {
        _filter = filter;
        _snapLength = snapLength;
        _count = count;
        _ring = new ByteRing(capacity);
        _ring.Append(Pcapng.Begin(interfaceName, snapLength, filter.ToString()));
        _ring.Publish();
    }

    /// <summary>Frames that were taken.</summary>
    public ulong Taken => Volatile.Read(ref _taken);

    /// <summary>Frames that there was no room for.</summary>
    public ulong Dropped => Volatile.Read(ref _dropped);

    /// <summary>The next of those that look at the same guest.</summary>
    internal FrameCapture? Next { get; set; }

    /// <summary>Takes a frame, for each that looks at the guest. By the loop's thread.</summary>
    /// <param name="first">The frame goes on with it.</param>
    internal void Take(FrameDirection direction, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first = default, ReadOnlySpan<byte> second = default)
    {
        for (FrameCapture? capture = this; capture is not null; capture = capture.Next)
            capture.TakeOne(direction, headers, first, second);
    }

    /// <summary>No more frames. By the loop's thread.</summary>
    public void End()
    {
        if (_ended)
            return;
        Span<byte> statistics = stackalloc byte[Pcapng.StatisticsSize];
        Pcapng.WriteStatistics(statistics, Now, _seen, _taken, _dropped);
        _ring.Append(statistics); // room was left for it
        _ring.Publish();
        _ended = true;
        Wake();
    }

    /// <summary>Waits until there are bytes of the file. One reader at a time.</summary>
    /// <returns>How many; 0 at the end.</returns>
    public async Task<int> ReadAsync(Memory<byte> to, CancellationToken cancellation)
    {
        while (true)
        {
            bool ended = _ended; // before the ring is looked at: nothing is written after it
            int length = _ring.Read(to.Span);
            if (length > 0 || ended)
                return length;
            var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Interlocked.Exchange(ref _reader, waiting);
            // What came in between has nobody woken.
            if (_ring.IsEmpty && !_ended)
                await waiting.Task.WaitAsync(cancellation).ConfigureAwait(false);
            // Those that follow at once come along: who reads is on the processors that move the packets.
            if (!_ended)
                await Task.Delay(s_batch, cancellation).ConfigureAwait(false);
        }
    }

    private static ulong Now => (ulong)(DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) * 100;

    private void TakeOne(FrameDirection direction, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (_ended)
            return;
        _seen++;
        if (!_filter.IsEmpty && !Matches(headers, first, second))
            return;
        int original = headers.Length + first.Length + second.Length;
        int captured = _snapLength == 0 ? original : Math.Min(original, _snapLength);
        if (_ring.Free < Pcapng.PacketHeaderSize + Pcapng.Padded(captured) + Pcapng.PacketTrailerSize + Pcapng.StatisticsSize)
        {
            Volatile.Write(ref _dropped, _dropped + 1);
            return;
        }
        Span<byte> buffer = stackalloc byte[Pcapng.PacketHeaderSize];
        Pcapng.WritePacketHeader(buffer, Now, captured, original);
        _ring.Append(buffer);
        int left = captured;
        Append(headers, ref left);
        Append(first, ref left);
        Append(second, ref left);
        BinaryPrimitives.WriteUInt32LittleEndian(buffer, 0);
        _ring.Append(buffer[..(Pcapng.Padded(captured) - captured)]);
        Pcapng.WritePacketTrailer(buffer, direction, captured);
        _ring.Append(buffer[..Pcapng.PacketTrailerSize]);
        _ring.Publish();
        Volatile.Write(ref _taken, _taken + 1);
        if (_taken == _count)
            End();
        else
            Wake();
    }

    private void Append(ReadOnlySpan<byte> part, ref int left)
    {
        part = part[..Math.Min(part.Length, left)];
        _ring.Append(part);
        left -= part.Length;
    }

    /// <summary>A filter looks at the headers in one piece.</summary>
    private bool Matches(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (first.IsEmpty)
            return _filter.Matches(headers);
        Span<byte> beginning = stackalloc byte[LongestBeginning];
        Span<byte> left = beginning;
        Fill(headers, ref left);
        Fill(first, ref left);
        Fill(second, ref left);
        return _filter.Matches(beginning[..^left.Length]);

        static void Fill(ReadOnlySpan<byte> part, ref Span<byte> room)
        {
            part = part[..Math.Min(part.Length, room.Length)];
            part.CopyTo(room);
            room = room[part.Length..];
        }
    }

    private void Wake()
    {
        // Between what was published and the look for a reader: the reader does it the other way round.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _reader) is not null)
            Interlocked.Exchange(ref _reader, null)?.TrySetResult();
    }
}
