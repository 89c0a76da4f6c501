using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>Room for messages that a socket hands over many at a time (recvmmsg(2)), and for their senders' addresses.</summary>
public sealed unsafe class ReceiveBatch : IDisposable
{
    private readonly MemoryMapping _memory; // the headers, their vectors, the addresses, then the messages; pages that no message reached are never touched
    private readonly Libc.MultipleMessageHeader* _headers;
    private readonly byte* _messages, _addresses;
    private readonly int _size, _count, _addressSize;

    /// <param name="size">Bytes of the longest message.</param>
    /// <param name="addressSize">Bytes of the longest address; 0 when nobody asks for them.</param>
    public ReceiveBatch(int count, int size, int addressSize = 0)
    {
        (_count, _size, _addressSize) = (count, size, addressSize);
        int vectorsAt = count * sizeof(Libc.MultipleMessageHeader), addressesAt = vectorsAt + count * sizeof(Libc.IoVector);
        int messagesAt = (addressesAt + count * addressSize + 63) & ~63;
        _memory = MemoryMapping.Anonymous(messagesAt + count * size);
        byte* memory = (byte*)_memory.Address;
        _headers = (Libc.MultipleMessageHeader*)memory;
        _addresses = memory + addressesAt;
        _messages = memory + messagesAt;
        var vectors = (Libc.IoVector*)(memory + vectorsAt);
        for (int i = 0; i < count; i++)
        {
            vectors[i] = new Libc.IoVector { Base = _messages + (long)i * size, Length = (nuint)size };
            _headers[i].Header = new Libc.MessageHeader { Vectors = vectors + i, VectorCount = 1, Name = addressSize > 0 ? _addresses + i * addressSize : null };
        }
    }

    /// <summary>Receives what is there.</summary>
    /// <param name="limit">Of messages.</param>
    /// <returns>How many; or the negative of an error: EAGAIN when there are none.</returns>
    public int Receive(int socket, int limit)
    {
        int most = Math.Min(limit, _count);
        for (int i = 0; _addressSize > 0 && i < most; i++)
            _headers[i].Header.NameLength = (uint)_addressSize; // the kernel wrote there how long the last one was
        int got = Libc.recvmmsg(socket, _headers, (uint)most, Libc.MSG_DONTWAIT, null);
        return got >= 0 ? got : -Marshal.GetLastPInvokeError();
    }

    /// <summary>One of those that came last, cut to the longest; until the next call.</summary>
    public Span<byte> this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count);
            return new Span<byte>(_messages + (long)index * _size, (int)Math.Min(_headers[index].Length, (uint)_size));
        }
    }

    /// <summary>Who sent it: a struct sockaddr.</summary>
    public ReadOnlySpan<byte> Address(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count);
        return new ReadOnlySpan<byte>(_addresses + index * _addressSize, (int)Math.Min(_headers[index].Header.NameLength, (uint)_addressSize));
    }

    public void Dispose() => _memory.Dispose();
}
