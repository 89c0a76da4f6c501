using Hypha.Linux;
using Hypha.Net.Ip;
using Hypha.Net.Nat;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>What the guest is told of packets that did not arrive.</summary>
public sealed partial class Attachment : IUnreachable, IErrorSender
{
    private readonly IcmpErrors _errors = new();

    /// <summary>The gateway itself says what is wrong with a packet.</summary>
    private bool Tell(ReadOnlySpan<byte> packet, in IcmpProblem problem, long now)
    {
        IpAddress? gateway = packet[0] >> 4 == 4 ? _configuration.GatewayV4 : _configuration.GatewayV6;
        return gateway is { } from && Tell(packet, from, problem, now);
    }

    private bool Tell(ReadOnlySpan<byte> packet, IpAddress from, in IcmpProblem problem, long now)
    {
        if (!_errors.May(packet, problem, now))
            return false;
        Span<byte> message = stackalloc byte[IcmpErrors.MaximumV6];
        int length = IcmpErrors.Write(message, from, packet, problem);
        return _output.TrySendIp(from.IsV4 ? IpProtocol.Icmp : IpProtocol.Icmp6, from, IcmpErrors.SourceOf(packet), message[..length]);
    }

    bool IUnreachable.Tell(in FlowKey key, SequenceNumber sequence, Errno error, long now)
    {
        if (ProblemOf(error, key.Guest.IsV4, _link.Mtu) is not { } problem)
            return false;
        // The SYN is gone; this is as much of it as the guest looks at.
        bool v4 = key.Guest.IsV4;
        int header = v4 ? Ipv4Packet.HeaderSize : Ipv6Packet.HeaderSize;
        Span<byte> packet = stackalloc byte[header + TcpSegment.HeaderSize];
        if (v4)
            Ipv4Packet.Write(packet, key.Guest, key.Remote, IpProtocol.Tcp, packet.Length);
        else
            Ipv6Packet.Write(packet, key.Guest, key.Remote, IpProtocol.Tcp, TcpSegment.HeaderSize);
        TcpSegment.WriteHeader(packet[header..], key.GuestPort, key.RemotePort, sequence, default, TcpFlags.Syn, 0);
        return Tell(packet, problem, now);
    }

    bool IErrorSender.Send(ReadOnlySpan<byte> packet, in SocketError error, long now)
    {
        bool v4 = packet[0] >> 4 == 4;
        // As it came over the network, from whom it came; but an MTU is our host's to say.
        if (error.IsIcmp && error.Error != Errno.EMSGSIZE && !error.Offender.IsUnspecified && error.Offender.IsV4 == v4)
            return Tell(packet, error.Offender, new IcmpProblem(error.Type, error.Code), now);
        return ProblemOf(error.Error, v4, (int)Math.Min(error.Mtu, ushort.MaxValue)) is { } problem && Tell(packet, problem, now);
    }

    /// <summary>What a socket's error is called in ICMP; null for one that has no name there.</summary>
    private static IcmpProblem? ProblemOf(Errno error, bool v4, int mtu) => error switch
    {
        Errno.EHOSTUNREACH or Errno.ETIMEDOUT => IcmpProblem.HostUnreachable(v4),
        Errno.ENETUNREACH or Errno.ENETDOWN => IcmpProblem.NetworkUnreachable(v4),
        Errno.EACCES or Errno.EPERM => IcmpProblem.Prohibited(v4),
        Errno.EMSGSIZE when mtu > 0 => IcmpProblem.TooBig(v4, mtu),
        _ => null,
    };
}
