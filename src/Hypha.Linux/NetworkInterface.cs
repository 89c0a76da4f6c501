using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>A network interface of this process's network namespace, by name (netdevice(7)), and the routes by it (linux/route.h, ipv6_route.h).</summary>
public sealed class NetworkInterface
{
    private const nuint GetFlags = 0x8913, SetFlags = 0x8914, SetAddress = 0x8916, SetMask = 0x891C, GetMtu = 0x8921, SetMtu = 0x8922; // SIOC…IF…
    private const nuint AddRoute = 0x890B; // SIOCADDRT
    private const short Up = 1, NoArp = 0x80;
    private const int RequestSize = 40, NameSize = 16; // bytes: struct ifreq, linux/if.h

    private NetworkInterface(string name, int index) => (Name, Index) = (name, index);

    public string Name { get; }

    public int Index { get; }

    /// <exception cref="LinuxException">ENODEV: there is none of this name.</exception>
    public static NetworkInterface Of(string name)
    {
        uint index = Libc.if_nametoindex(name);
        return index != 0 ? new NetworkInterface(name, (int)index) : throw LinuxException.FromLastError($"looking for the interface {name}");
    }

    /// <summary>False once it was removed, even when there is another of its name.</summary>
    public bool IsThere => Libc.if_nametoindex(Name) == Index;

    /// <summary>Bytes of a frame's payload.</summary>
    public int Mtu
    {
        get => Call(GetMtu, 0, "asking for the MTU of");
        set => Call(SetMtu, value, "setting the MTU of");
    }

    public void BringUp() => Raise(Up);

    /// <summary>Brings it up, without ARP of the kernel's own.</summary>
    public void BringUpWithoutArp() => Raise(Up | NoArp);

    /// <summary>
    /// Takes it down, and with that its IPv6 addresses and the routes by it; its IPv4 address, too. (IPv6 addresses go unless keep_addr_on_down is set.)
    /// </summary>
    public void Clear()
    {
        int flags = (ushort)Call(GetFlags, 0, "asking for the flags of");
        Call(SetFlags, flags & ~Up, "taking down");
        SetSocketAddress(SetAddress, IPAddress.Any, $"taking the address from {Name}");
    }

    /// <summary>Gives it an address; its network becomes reachable by it once it is up.</summary>
    /// <exception cref="LinuxException">With the address in its message.</exception>
    public void AddAddress(IPAddress address, int prefixLength)
    {
        string what = $"giving {Name} the address {address}/{prefixLength}";
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            SetSocketAddress(SetAddress, address, what);
            uint mask = prefixLength == 0 ? 0 : uint.MaxValue << (32 - prefixLength);
            SetSocketAddress(SetMask, new IPAddress([(byte)(mask >> 24), (byte)(mask >> 16), (byte)(mask >> 8), (byte)mask]), what);
            return;
        }
        // struct in6_ifreq: address (16 bytes), prefix length and index (32 bits each).
        Span<byte> request = stackalloc byte[24];
        address.TryWriteBytes(request, out _);
        MemoryMarshal.Write(request[16..], prefixLength);
        MemoryMarshal.Write(request[20..], Index);
        Call(RawSocket.InterNetworkV6, SetAddress, request, what);
    }

    /// <summary>Leads all that has no other route to <paramref name="gateway"/>, by this interface, which is up.</summary>
    public void AddDefaultRoute(IPAddress gateway)
    {
        const uint up = 1, viaGateway = 2; // RTF_UP, RTF_GATEWAY
        string what = $"setting the default route to {gateway} by {Name}";
        if (gateway.AddressFamily == AddressFamily.InterNetwork)
        {
            // struct rtentry (120 bytes): destination at 8, gateway at 24, mask at 40 as struct sockaddr, flags at 56.
            Span<byte> route = stackalloc byte[120];
            route.Clear();
            MemoryMarshal.Write(route[8..], (ushort)RawSocket.InterNetwork);
            MemoryMarshal.Write(route[24..], (ushort)RawSocket.InterNetwork);
            gateway.TryWriteBytes(route[28..], out _);
            MemoryMarshal.Write(route[40..], (ushort)RawSocket.InterNetwork);
            MemoryMarshal.Write(route[56..], (ushort)(up | viaGateway));
            Call(RawSocket.InterNetwork, AddRoute, route, what);
            return;
        }
        // struct in6_rtmsg (80 bytes): destination, source and gateway (16 each), type, lengths (16 bits each), metric, info (64 bits), flags, index.
        Span<byte> route6 = stackalloc byte[80];
        route6.Clear();
        gateway.TryWriteBytes(route6[32..], out _);
        MemoryMarshal.Write(route6[56..], 1u); // metric
        MemoryMarshal.Write(route6[72..], up | viaGateway);
        MemoryMarshal.Write(route6[76..], Index);
        Call(RawSocket.InterNetworkV6, AddRoute, route6, what);
    }

    private void Raise(int wanted)
    {
        int flags = (ushort)Call(GetFlags, 0, "asking for the flags of");
        if ((flags & wanted) != wanted)
            Call(SetFlags, flags | wanted, "bringing up");
    }

    // A union follows the name: flags (16 bits), the MTU (32 bits), or a struct sockaddr.
    private int Call(nuint request, int value, string doing)
    {
        Span<byte> bytes = stackalloc byte[RequestSize];
        bytes.Clear();
        MemoryMarshal.Write(bytes[NameSize..], value);
        CallNamed(request, bytes, $"{doing} {Name}");
        return MemoryMarshal.Read<int>(bytes[NameSize..]);
    }

    private void SetSocketAddress(nuint request, IPAddress address, string what)
    {
        Span<byte> bytes = stackalloc byte[RequestSize];
        bytes.Clear();
        MemoryMarshal.Write(bytes[NameSize..], (ushort)RawSocket.InterNetwork);
        address.TryWriteBytes(bytes[(NameSize + 4)..], out _);
        CallNamed(request, bytes, what);
    }

    private void CallNamed(nuint request, Span<byte> bytes, string what)
    {
        Encoding.ASCII.GetBytes(Name, bytes[..(NameSize - 1)]);
        Call(RawSocket.InterNetwork, request, bytes, what);
    }

    // unsafe: the kernel reads and writes the caller's span.
    private static unsafe void Call(int family, nuint request, Span<byte> bytes, string what)
    {
        int fd = Libc.socket(family, RawSocket.Datagram | Libc.SOCK_CLOEXEC, 0);
        using FileDescriptor file = fd >= 0 ? new FileDescriptor(fd) : throw LinuxException.FromLastError("opening a socket");
        fixed (byte* p = bytes)
            file.Ioctl(request, (nint)p, what);
    }
}
