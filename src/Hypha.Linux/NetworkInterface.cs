using System.Runtime.InteropServices;
using System.Text;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>A network interface of this process's network namespace, by name (netdevice(7)).</summary>
public sealed class NetworkInterface
{
    private const nuint GetFlags = 0x8913, SetFlags = 0x8914, GetMtu = 0x8921; // SIOC[GS]IFFLAGS, SIOCGIFMTU
    private const short Up = 1, NoArp = 0x80;

    private NetworkInterface(string name, int index) => (Name, Index) = (name, index);

    public string Name { get; }

    public int Index { get; }

    /// <exception cref="LinuxException">ENODEV: there is none of this name.</exception>
    public static NetworkInterface Of(string name)
    {
        uint index = Libc.if_nametoindex(name);
        return index != 0 ? new NetworkInterface(name, (int)index) : throw LinuxException.FromLastError($"looking for the interface {name}");
    }

    /// <summary>Bytes of a frame's payload.</summary>
    public int Mtu => Call(GetMtu, 0, "asking for the MTU of");

    /// <summary>Brings it up, without ARP of the kernel's own.</summary>
    public void BringUp()
    {
        short flags = (short)Call(GetFlags, 0, "asking for the flags of");
        if ((flags & (Up | NoArp)) != (Up | NoArp))
            Call(SetFlags, flags | Up | NoArp, "bringing up");
    }

    // struct ifreq: 16 bytes of name, then a union whose first bytes are the flags (16 bits) or the MTU (32 bits).
    private unsafe int Call(nuint request, int value, string doing)
    {
        Span<byte> bytes = stackalloc byte[40];
        bytes.Clear();
        Encoding.ASCII.GetBytes(Name, bytes[..15]);
        MemoryMarshal.Write(bytes[16..], value);
        int fd = Libc.socket(RawSocket.InterNetwork, RawSocket.Datagram | Libc.SOCK_CLOEXEC, 0);
        if (fd < 0)
            throw LinuxException.FromLastError("opening a socket");
        using var file = new FileDescriptor(fd);
        fixed (byte* p = bytes)
            file.Ioctl(request, (nint)p, $"{doing} {Name}");
        return MemoryMarshal.Read<int>(bytes[16..]);
    }
}
