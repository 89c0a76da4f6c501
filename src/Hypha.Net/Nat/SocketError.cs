using System.Runtime.InteropServices;
using Hypha.Linux;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>What a socket's error queue says of a datagram that was sent (ip(7), IP_RECVERR; linux/errqueue.h, struct sock_extended_err).</summary>
/// <param name="IsIcmp">It came over the network; else the host itself says so.</param>
/// <param name="Type">Of the ICMP message, and <paramref name="Code"/>.</param>
/// <param name="Mtu">Of the path, with EMSGSIZE.</param>
/// <param name="Offender">Who sent the ICMP message.</param>
internal readonly record struct SocketError(Errno Error, bool IsIcmp, byte Type, byte Code, uint Mtu, IpAddress Offender)
{
    private const int ControlHeader = 16, ErrorSize = 16; // bytes: struct cmsghdr, struct sock_extended_err
    private const byte Icmp = 2, Icmp6 = 3; // SO_EE_ORIGIN_…

    /// <param name="control">The control messages, as the kernel wrote them.</param>
    public static bool TryRead(ReadOnlySpan<byte> control, out SocketError error)
    {
        error = default;
        while (control.Length >= ControlHeader + ErrorSize)
        {
            int length = (int)Math.Min(MemoryMarshal.Read<ulong>(control), (ulong)control.Length);
            int level = MemoryMarshal.Read<int>(control[8..]), type = MemoryMarshal.Read<int>(control[12..]);
            if (length < ControlHeader)
                return false;
            if ((level, type) is (SocketOption.Ip, SocketOption.ReceiveErrors) or (SocketOption.Ipv6, SocketOption.ReceiveErrorsV6) && length >= ControlHeader + ErrorSize)
            {
                ReadOnlySpan<byte> said = control[ControlHeader..length];
                HostAddress.TryRead(said[ErrorSize..], out IpAddress offender, out _);
                error = new SocketError((Errno)MemoryMarshal.Read<uint>(said), said[4] is Icmp or Icmp6, said[5], said[6], MemoryMarshal.Read<uint>(said[8..]), offender);
                return true;
            }
            control = control[Math.Min((length + 7) & ~7, control.Length)..];
        }
        return false;
    }
}
