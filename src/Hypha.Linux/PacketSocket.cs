using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>Ethernet frames of one interface, in and out, past the kernel's protocols (packet(7), SOCK_RAW), with a virtio-net header before each.</summary>
public sealed class PacketSocket : IDisposable
{
    private const int BufferSize = 8 << 20; // bytes of frames that wait, either way

    private readonly FileDescriptor _file;
    private readonly int _number;

    /// <param name="interfaceIndex">See <see cref="NetworkInterface"/>.</param>
    /// <param name="name">For messages.</param>
    /// <exception cref="LinuxException">EPERM without CAP_NET_RAW; ENODEV, ENETDOWN.</exception>
    public unsafe PacketSocket(int interfaceIndex, string name)
    {
        // Protocol 0: nothing comes before all is set.
        int fd = Libc.socket(Libc.AF_PACKET, Libc.SOCK_RAW | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        if (fd < 0)
            throw LinuxException.FromLastError("opening a packet socket");
        _file = new FileDescriptor(fd);
        _number = fd;
        try
        {
            Set(Libc.SOL_PACKET, Libc.PACKET_VNET_HDR, 1, $"asking for virtio-net headers on {name}");
            Set(Libc.SOL_PACKET, Libc.PACKET_IGNORE_OUTGOING, 1, $"asking for incoming frames alone on {name}");
            Set(Libc.SOL_PACKET, Libc.PACKET_QDISC_BYPASS, 1, $"asking for the queue to be passed by on {name}");
            // Without CAP_NET_ADMIN the kernel's limits hold: fewer frames wait.
            if (!TrySet(Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, BufferSize))
                TrySet(Libc.SOL_SOCKET, SocketOption.ReceiveBuffer, BufferSize);
            if (!TrySet(Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, BufferSize))
                TrySet(Libc.SOL_SOCKET, SocketOption.SendBuffer, BufferSize);
            // The gateway's MAC is not the interface's: a card would filter its frames away.
            var membership = new Libc.PacketMembership { Interface = interfaceIndex, Type = Libc.PACKET_MR_PROMISC };
            if (Libc.setsockopt(fd, Libc.SOL_PACKET, Libc.PACKET_ADD_MEMBERSHIP, &membership, (uint)sizeof(Libc.PacketMembership)) < 0)
                throw LinuxException.FromLastError($"taking all frames of {name}");
            var address = new Libc.PacketAddress { Family = Libc.AF_PACKET, Protocol = Libc.ETH_P_ALL_BIG_ENDIAN, Interface = interfaceIndex };
            if (Libc.bind(fd, &address, (uint)sizeof(Libc.PacketAddress)) < 0)
                throw LinuxException.FromLastError($"binding to {name}");
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>To wait for; closed with this object.</summary>
    public int Number => _number;

    /// <summary>Sends a frame that lies in up to three places, its virtio-net header at the start of the first.</summary>
    /// <returns>Bytes; or the negative of an error: EAGAIN or ENOBUFS when there is no room, ENETDOWN, ENXIO, EMSGSIZE.</returns>
    public unsafe int Send(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        fixed (byte* h = headers, f = first, s = second)
        {
            Libc.IoVector* vectors = stackalloc Libc.IoVector[3];
            vectors[0] = new Libc.IoVector { Base = h, Length = (nuint)headers.Length };
            vectors[1] = new Libc.IoVector { Base = f, Length = (nuint)first.Length };
            vectors[2] = new Libc.IoVector { Base = s, Length = (nuint)second.Length };
            var message = new Libc.MessageHeader
            {
                Vectors = vectors,
                VectorCount = (nuint)(second.Length > 0 ? 3 : first.Length > 0 ? 2 : 1),
            };
            nint sent = Libc.sendmsg(_number, &message, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            return sent >= 0 ? (int)sent : -Marshal.GetLastPInvokeError();
        }
    }

    public void Dispose() => _file.Dispose();

    private void Set(int level, int option, int value, string what)
    {
        if (!TrySet(level, option, value))
            throw LinuxException.FromLastError(what);
    }

    private unsafe bool TrySet(int level, int option, int value) => Libc.setsockopt(_number, level, option, &value, sizeof(int)) == 0;
}
