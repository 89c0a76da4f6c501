using Hypha.Net.Wire;

namespace Hypha.Net.Ip;

/// <summary>What is wrong with a packet, as ICMP and ICMPv6 say it: a type, a code, and an MTU or a place.</summary>
public readonly record struct IcmpProblem(byte Type, byte Code, uint Parameter = 0)
{
    public static IcmpProblem HopLimitExceeded(bool v4) => new(v4 ? (byte)IcmpType.TimeExceeded : (byte)Icmp6Type.TimeExceeded, 0);

    public static IcmpProblem ReassemblyTimeExceeded(bool v4) => new(v4 ? (byte)IcmpType.TimeExceeded : (byte)Icmp6Type.TimeExceeded, 1);

    public static IcmpProblem PortUnreachable(bool v4) => Unreachable(v4, IcmpUnreachable.Port, Icmp6Unreachable.Port);

    public static IcmpProblem HostUnreachable(bool v4) => Unreachable(v4, IcmpUnreachable.Host, Icmp6Unreachable.Address);

    public static IcmpProblem NetworkUnreachable(bool v4) => Unreachable(v4, IcmpUnreachable.Network, Icmp6Unreachable.NoRoute);

    public static IcmpProblem Prohibited(bool v4) => Unreachable(v4, IcmpUnreachable.Prohibited, Icmp6Unreachable.Prohibited);

    /// <summary>IPv4 has a word for it; over IPv6 it is a parameter problem at the next header field (RFC 4443 3.4).</summary>
    public static IcmpProblem ProtocolUnreachable(bool v4, int at = 6) =>
        v4 ? Unreachable(v4, IcmpUnreachable.Protocol, default) : new((byte)Icmp6Type.ParameterProblem, 1, (uint)at);

    /// <summary>RFC 1191 4: the MTU in the lower half; RFC 4443 3.2: in all of it.</summary>
    public static IcmpProblem TooBig(bool v4, int mtu) =>
        v4 ? new((byte)IcmpType.Unreachable, (byte)IcmpUnreachable.FragmentationNeeded, (uint)Math.Min(mtu, ushort.MaxValue)) : new((byte)Icmp6Type.PacketTooBig, 0, (uint)mtu);

    private static IcmpProblem Unreachable(bool v4, IcmpUnreachable code, Icmp6Unreachable code6) =>
        v4 ? new((byte)IcmpType.Unreachable, (byte)code) : new((byte)Icmp6Type.Unreachable, (byte)code6);
}

/// <summary>Tells a guest by ICMP what is wrong with a packet that it sent; not too often, and not about everything.</summary>
public sealed class IcmpErrors
{
    /// <summary>RFC 1812 4.3.2.3: as much of the packet as fits into 576 bytes; RFC 4443 2.4(c): into the least MTU.</summary>
    public const int MaximumV4 = 576 - Ipv4Packet.HeaderSize, MaximumV6 = Ipv6Packet.MinimumMtu - Ipv6Packet.HeaderSize; // bytes of the message

    // RFC 1812 4.3.2.8, RFC 4443 2.4(f). A traceroute with 16 probes at once is served, a flood is not.
    private TokenBucket _bucket = new(rate: 200, burst: 50);

    /// <summary>Errors that were not sent since there were too many.</summary>
    public ulong Suppressed { get; private set; }

    /// <summary>Whether an error may be sent about a packet (RFC 1122 3.2.2, RFC 4443 2.4(e)), now.</summary>
    /// <param name="packet">From its IP header on, which has been parsed; or one of ours that stands for it.</param>
    public bool May(ReadOnlySpan<byte> packet, in IcmpProblem problem, long now)
    {
        if (!IsFit(packet, problem))
            return false;
        if (_bucket.TryTake(1, now))
            return true;
        Suppressed++;
        return false;
    }

    /// <summary>Writes the ICMP message.</summary>
    /// <param name="to">At least <see cref="MaximumV6"/>.</param>
    /// <param name="from">Who says so; the packet's source is told.</param>
    /// <returns>How many bytes.</returns>
    public static int Write(Span<byte> to, IpAddress from, ReadOnlySpan<byte> packet, in IcmpProblem problem)
    {
        bool v4 = packet[0] >> 4 == 4;
        packet = packet[..Math.Min(packet.Length, (v4 ? MaximumV4 : MaximumV6) - IcmpMessage.HeaderSize)];
        to = to[..(IcmpMessage.HeaderSize + packet.Length)];
        packet.CopyTo(to[IcmpMessage.HeaderSize..]);
        IcmpMessage.WriteHeader(to, from, SourceOf(packet), problem.Type, problem.Code, problem.Parameter);
        return to.Length;
    }

    public static IpAddress SourceOf(ReadOnlySpan<byte> packet) => packet[0] >> 4 == 4 ? IpAddress.ReadV4(packet[12..]) : IpAddress.ReadV6(packet[8..]);

    private static bool IsFit(ReadOnlySpan<byte> packet, in IcmpProblem problem)
    {
        if (packet[0] >> 4 == 4)
        {
            IpAddress source = IpAddress.ReadV4(packet[12..]), destination = IpAddress.ReadV4(packet[16..]);
            int header = (packet[0] & 0xF) * 4;
            return !source.IsUnspecified && !source.IsMulticast && !source.IsBroadcast && !source.IsLoopback
                && !destination.IsMulticast && !destination.IsBroadcast
                && ((packet[6] & 0x1F) | packet[7]) == 0
                && !((IpProtocol)packet[9] == IpProtocol.Icmp && (packet.Length <= header || !IsQuestion((IcmpType)packet[header])));
        }
        IpAddress from = IpAddress.ReadV6(packet[8..]), to = IpAddress.ReadV6(packet[24..]);
        if (from.IsUnspecified || from.IsMulticast)
            return false;
        // RFC 4443 2.4(e.3): a packet too big, or an option that nobody knows, is told to those who sent to a group, too.
        if (to.IsMulticast && problem.Type != (byte)Icmp6Type.PacketTooBig && !(problem.Type == (byte)Icmp6Type.ParameterProblem && problem.Code == 2))
            return false;
        // Behind extension headers may be an error as well: whoever parsed the packet tells by its place; here the plain case.
        return (IpProtocol)packet[6] != IpProtocol.Icmp6 || (packet.Length > Ipv6Packet.HeaderSize && packet[Ipv6Packet.HeaderSize] >= 128 && packet[Ipv6Packet.HeaderSize] != (byte)Icmp6Type.Redirect);
    }

    private static bool IsQuestion(IcmpType type) => type is IcmpType.Echo or IcmpType.EchoReply;
}
