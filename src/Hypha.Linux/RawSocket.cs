using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>
/// A socket as its bare number, for those who hold tens of thousands of them and call them on a hot path: not a handle, closed by its
/// owner, and an error is a return value, as the kernel gives it: the negative of an <see cref="Errno"/>.
/// </summary>
/// <remarks>All sockets are non-blocking and close-on-exec. Addresses are struct sockaddr as bytes (see ip(7), ipv6(7)).</remarks>
public readonly record struct RawSocket(int Number)
{
    public const int InterNetwork = 2, InterNetworkV6 = 10;         // AF_INET, AF_INET6
    public const int Stream = 1, Datagram = 2;                      // SOCK_STREAM, SOCK_DGRAM

    /// <summary>No socket.</summary>
    public static RawSocket None => new(-1);

    public bool IsOpen => Number >= 0;

    /// <returns>A socket, or one whose number is the negative of the error: EMFILE, ENFILE, ENOBUFS, ….</returns>
    public static RawSocket Open(int family, int type, int protocol = 0)
    {
        int fd = Libc.socket(family, type | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, protocol);
        return new RawSocket(fd >= 0 ? fd : Failure());
    }

    /// <returns>0; -EINPROGRESS when the answer will come as "writable"; another error.</returns>
    public unsafe int Connect(ReadOnlySpan<byte> address)
    {
        fixed (byte* p = address)
            return Libc.connect(Number, p, (uint)address.Length) == 0 ? 0 : Failure();
    }

    public unsafe int Bind(ReadOnlySpan<byte> address)
    {
        fixed (byte* p = address)
            return Libc.bind(Number, p, (uint)address.Length) == 0 ? 0 : Failure();
    }

    public int Listen(int backlog) => Libc.listen(Number, backlog) == 0 ? 0 : Failure();

    /// <param name="peer">Filled with the peer's address.</param>
    /// <returns>A socket, or one whose number is the negative of the error.</returns>
    public unsafe RawSocket Accept(Span<byte> peer, out int peerLength)
    {
        uint length = (uint)peer.Length;
        fixed (byte* p = peer)
        {
            int fd = Libc.accept4(Number, p, &length, Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC);
            peerLength = (int)Math.Min(length, (uint)peer.Length);
            return new RawSocket(fd >= 0 ? fd : Failure());
        }
    }

    /// <summary>The socket's own address.</summary>
    public unsafe int GetName(Span<byte> address)
    {
        uint length = (uint)address.Length;
        fixed (byte* p = address)
            return Libc.getsockname(Number, p, &length) == 0 ? (int)Math.Min(length, (uint)address.Length) : Failure();
    }

    /// <returns>How many bytes were taken, or an error: EAGAIN when there is no room. A broken connection raises no signal.</returns>
    public unsafe int Send(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* p = bytes)
        {
            nint sent = Libc.send(Number, p, (nuint)bytes.Length, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT);
            return sent >= 0 ? (int)sent : Failure();
        }
    }

    public unsafe int SendTo(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> address)
    {
        fixed (byte* p = bytes, to = address)
        {
            nint sent = Libc.sendto(Number, p, (nuint)bytes.Length, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT, to, (uint)address.Length);
            return sent >= 0 ? (int)sent : Failure();
        }
    }

    /// <summary>Sends datagrams of one size, the last may be shorter, that lie behind each other (udp(7), UDP_SEGMENT).</summary>
    /// <returns>How many bytes; or an error: EINVAL when one is longer than the way to the address takes, EIO when the host cannot cut them.</returns>
    public unsafe int SendSegments(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> address, ushort size)
    {
        Libc.SegmentControl control = new()
        {
            Length = (nuint)sizeof(Libc.SegmentControl) - 6, // CMSG_LEN: without what aligns the next
            Level = SocketOption.Udp,
            Type = Libc.UDP_SEGMENT,
            Size = size,
        };
        fixed (byte* p = bytes, to = address)
        {
            var vector = new Libc.IoVector { Base = p, Length = (nuint)bytes.Length };
            var message = new Libc.MessageHeader
            {
                Name = to,
                NameLength = (uint)address.Length,
                Vectors = &vector,
                VectorCount = 1,
                Control = &control,
                ControlLength = (nuint)sizeof(Libc.SegmentControl),
            };
            nint sent = Libc.sendmsg(Number, &message, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT);
            return sent >= 0 ? (int)sent : Failure();
        }
    }

    /// <returns>How many bytes there were; 0 at the end of a stream; an error, EAGAIN when there is nothing yet.</returns>
    public unsafe int Receive(Span<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            nint got = Libc.recv(Number, p, (nuint)buffer.Length, Libc.MSG_DONTWAIT);
            return got >= 0 ? (int)got : Failure();
        }
    }

    /// <summary>Receives a datagram with whatever the kernel says about it.</summary>
    /// <param name="control">Filled with control messages (cmsg(3)).</param>
    /// <param name="errorQueue">From the queue of errors instead (ip(7), IP_RECVERR): the datagram is then one that was sent.</param>
    public unsafe int ReceiveMessage(Span<byte> buffer, Span<byte> address, out int addressLength, Span<byte> control, out int controlLength, bool errorQueue = false)
    {
        fixed (byte* p = buffer, from = address, extra = control)
        {
            var vector = new Libc.IoVector { Base = p, Length = (nuint)buffer.Length };
            var message = new Libc.MessageHeader
            {
                Name = from,
                NameLength = (uint)address.Length,
                Vectors = &vector,
                VectorCount = 1,
                Control = extra,
                ControlLength = (nuint)control.Length,
            };
            nint got = Libc.recvmsg(Number, &message, Libc.MSG_DONTWAIT | (errorQueue ? Libc.MSG_ERRQUEUE : 0));
            addressLength = got >= 0 ? (int)message.NameLength : 0;
            controlLength = got >= 0 ? (int)message.ControlLength : 0;
            return got >= 0 ? (int)got : Failure();
        }
    }

    /// <summary>Sends nothing more: a stream's peer sees its end.</summary>
    public int ShutdownWrite() => Libc.shutdown(Number, Libc.SHUT_WR) == 0 ? 0 : Failure();

    public unsafe int SetOption(int level, int option, int value) =>
        Libc.setsockopt(Number, level, option, &value, sizeof(int)) == 0 ? 0 : Failure();

    /// <returns>The option's value, 0 or more; or an error.</returns>
    public unsafe int GetOption(int level, int option)
    {
        int value = 0;
        uint length = sizeof(int);
        return Libc.getsockopt(Number, level, option, &value, &length) == 0 ? value : Failure();
    }

    /// <summary>The error that waits for whoever asks (SO_ERROR), as its negative; 0 when there is none.</summary>
    public int TakeError()
    {
        int error = GetOption(Libc.SOL_SOCKET, Libc.SO_ERROR);
        return error > 0 ? -error : error;
    }

    /// <summary>Closes; a stream's peer sees a reset, and nothing lingers here (SO_LINGER with time 0).</summary>
    public unsafe void Abort()
    {
        Libc.Linger linger = new() { OnOff = 1, Seconds = 0 };
        Libc.setsockopt(Number, Libc.SOL_SOCKET, Libc.SO_LINGER, &linger, (uint)sizeof(Libc.Linger));
        Close();
    }

    public void Close() => Libc.close(Number);

    private static int Failure() => -Marshal.GetLastPInvokeError();
}
