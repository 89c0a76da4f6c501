using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>Room for messages that a socket hands over many at a time (recvmmsg(2)).</summary>
public sealed unsafe class ReceiveBatch : IDisposable
{
    private readonly MemoryMapping _memory; // the headers, their vectors, then the messages; pages that no message reached are never touched
    private readonly Libc.MultipleMessageHeader* _headers;
    private readonly byte* _messages;
    private readonly int _size, _count;

    /// <param name="size">Bytes of the longest message.</param>
    public ReceiveBatch(int count, int size)
    {
        (_count, _size) = (count, size);
        int vectorsAt = count * sizeof(Libc.MultipleMessageHeader), messagesAt = (vectorsAt + count * sizeof(Libc.IoVector) + 63) & ~63;
        _memory = MemoryMapping.Anonymous(messagesAt + count * size);
        byte* memory = (byte*)_memory.Address;
        _headers = (Libc.MultipleMessageHeader*)memory;
        _messages = memory + messagesAt;
        var vectors = (Libc.IoVector*)(memory + vectorsAt);
        for (int i = 0; i < count; i++)
        {
            vectors[i] = new Libc.IoVector { Base = _messages + (long)i * size, Length = (nuint)size };
            _headers[i].Header = new Libc.MessageHeader { Vectors = vectors + i, VectorCount = 1 };
        }
    }

    /// <summary>Receives what is there.</summary>
    /// <param name="limit">Of messages.</param>
    /// <returns>How many; or the negative of an error: EAGAIN when there are none.</returns>
    public int Receive(int socket, int limit)
    {
        int got = Libc.recvmmsg(socket, _headers, (uint)Math.Min(limit, _count), Libc.MSG_DONTWAIT, null);
        return got >= 0 ? got : -Marshal.GetLastPInvokeError();
    }

    /// <summary>One of those that came last, cut to the longest; until the next call.</summary>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count);
            return new ReadOnlySpan<byte>(_messages + (long)index * _size, (int)Math.Min(_headers[index].Length, (uint)_size));
        }
    }

    public void Dispose() => _memory.Dispose();
}
