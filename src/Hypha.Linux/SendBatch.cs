using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>Messages that are put together and handed to a socket many at a time (sendmmsg(2)).</summary>
public sealed unsafe class SendBatch : IDisposable
{
    private readonly MemoryMapping _memory; // the headers, their vectors, then the messages' bytes
    private readonly Libc.MultipleMessageHeader* _headers;
    private readonly Libc.IoVector* _vectors;
    private readonly byte* _bytes;
    private readonly int _messages, _room;
    private int _count, _sent, _used;

    /// <param name="messages">How many there may be at a time.</param>
    /// <param name="bytes">How long all of them together.</param>
    public SendBatch(int messages, int bytes)
    {
        (_messages, _room) = (messages, bytes);
        int vectorsAt = messages * sizeof(Libc.MultipleMessageHeader), bytesAt = (vectorsAt + messages * sizeof(Libc.IoVector) + 63) & ~63;
        _memory = MemoryMapping.Anonymous(bytesAt + bytes);
        byte* memory = (byte*)_memory.Address;
        _headers = (Libc.MultipleMessageHeader*)memory;
        _vectors = (Libc.IoVector*)(memory + vectorsAt);
        _bytes = memory + bytesAt;
    }

    /// <summary>Messages that were not sent yet.</summary>
    public int Count => _count - _sent;

    /// <summary>Adds a message.</summary>
    /// <returns>Where to write it; empty when there is no room.</returns>
    public Span<byte> Add(int length)
    {
        if (_count == _messages || length > _room - _used)
            return default;
        _vectors[_count] = new Libc.IoVector { Base = _bytes + _used, Length = (nuint)length };
        _headers[_count] = new Libc.MultipleMessageHeader { Header = new Libc.MessageHeader { Vectors = _vectors + _count, VectorCount = 1 } };
        _count++;
        _used += length;
        return new Span<byte>(_vectors[_count - 1].Base, length);
    }

    /// <summary>Sends as many as the socket takes, in their order.</summary>
    /// <returns>How many; or the negative of the first one's error.</returns>
    public int Send(int socket)
    {
        int sent = Libc.sendmmsg(socket, _headers + _sent, (uint)Count, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
        if (sent < 0)
            return -Marshal.GetLastPInvokeError();
        Drop(sent);
        return sent;
    }

    /// <summary>Takes the first of them away, as if they were sent.</summary>
    public void Drop(int count)
    {
        _sent += Math.Min(count, Count);
        if (_sent == _count)
            _count = _sent = _used = 0;
    }

    public void Dispose() => _memory.Dispose();
}
