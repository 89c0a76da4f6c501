using Hypha.Net.Tcp;

namespace Hypha.Net.Tests.Tcp;

/// <summary>A connection joined to a stream in memory, which a test fills, blocks, ends and breaks.</summary>
internal sealed class TestConnection(TcpStack stack, in FlowKey key) : TcpConnection(stack, key)
{
    private readonly Queue<byte[]> _toGuest = new();
    private int _readOffset;
    private bool _ended;

    /// <summary>What the stream took from the guest.</summary>
    public List<byte> Taken { get; } = [];

    /// <summary>How many bytes the stream takes before it is full.</summary>
    public int Room { get; set; } = int.MaxValue;

    /// <summary>Reading and writing fail.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Writing fails after so many times more.</summary>
    public int BreakAfter { get; set; } = int.MaxValue;

    public bool EndWritten { get; private set; }

    public TcpEnd? Released { get; private set; }

    public int Writes { get; private set; }

    /// <summary>The stream has bytes for the guest.</summary>
    public void Give(params byte[] bytes)
    {
        _toGuest.Enqueue(bytes);
        StreamReadable();
    }

    /// <summary>The stream has no more for the guest.</summary>
    public void GiveEnd()
    {
        _ended = true;
        StreamReadable();
    }

    /// <summary>The stream takes so many bytes more.</summary>
    public void Take(int bytes, long now)
    {
        Room = bytes == int.MaxValue ? bytes : Room + bytes;
        StreamWritable(now);
    }

    protected override int Write(ReadOnlySpan<byte> bytes)
    {
        Assert.Null(Released);
        Assert.False(EndWritten);
        Writes++;
        if (IsBroken || BreakAfter-- <= 0)
            return -32; // EPIPE
        int taken = Math.Min(bytes.Length, Room);
        Taken.AddRange(bytes[..taken]);
        if (Room != int.MaxValue)
            Room -= taken;
        return taken;
    }

    protected override int Read(Span<byte> to)
    {
        Assert.Null(Released);
        Assert.False(to.IsEmpty);
        if (IsBroken)
            return -104; // ECONNRESET
        if (_toGuest.Count == 0)
            return _ended ? 0 : NothingYet;
        int read = 0;
        while (read < to.Length && _toGuest.TryPeek(out byte[]? next))
        {
            int length = Math.Min(to.Length - read, next.Length - _readOffset);
            next.AsSpan(_readOffset, length).CopyTo(to[read..]);
            read += length;
            _readOffset += length;
            if (_readOffset < next.Length)
                break;
            _toGuest.Dequeue();
            _readOffset = 0;
        }
        return read;
    }

    protected override bool EndExpected => _ended;

    protected override void EndWriting()
    {
        Assert.Null(Released);
        Assert.False(EndWritten);
        EndWritten = true;
    }

    protected override void Release(TcpEnd end)
    {
        Assert.Null(Released);
        Released = end;
    }
}
