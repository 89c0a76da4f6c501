using Hypha.Net.Dhcp;
using Hypha.Net.Policy;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>A guest's frames to another member of its network.</summary>
public sealed partial class Attachment
{
    /// <summary>Passes a frame on as it is, once it is clear that it says who sent it.</summary>
    private void Forward(Attachment member, in VirtioNetHeader offload, in EthernetFrame ethernet, ReadOnlySpan<byte> frame, long now)
    {
        if (IsForwardable(member, ethernet, now))
            Pass(member, offload, frame);
    }

    private void Pass(Attachment member, in VirtioNetHeader offload, ReadOnlySpan<byte> frame)
    {
        if (member._output.TryForward(offload, frame))
            _counters.Forwarded++;
        else
            _counters.ForwardFailures++;
    }

    private bool IsForwardable(Attachment member, in EthernetFrame ethernet, long now)
    {
        switch (ethernet.Type)
        {
            case EtherType.Ipv4 when Ipv4Packet.TryParse(ethernet.Payload, out Ipv4Packet packet) == WireFault.None:
                return IsForwardable(member, packet.Protocol, packet.Source, packet.Destination, packet.Payload, packet.FragmentOffset, now);
            case EtherType.Ipv6 when Ipv6Packet.TryParse(ethernet.Payload, out Ipv6Packet packet, out _) == WireFault.None:
                return IsForwardable(member, packet.Protocol, packet.Source, packet.Destination, packet.Payload, packet.IsFragment ? packet.FragmentOffset : 0, now);
            default:
                _counters.Malformed++;
                return false;
        }
    }

    private bool IsForwardable(Attachment member, IpProtocol protocol, IpAddress source, IpAddress destination, ReadOnlySpan<byte> payload, int offset, long now) =>
        IsHonest(protocol, source, payload, offset)
        && MayReach(member, protocol, source, destination, payload, offset == 0, reachable: destination.IsLinkLocal || Reach.Allows(destination), now);

    /// <summary>Whether a packet to other members is what it seems, and is the guest's to send.</summary>
    /// <param name="offset">0: the payload begins with the transport's header; a later fragment's does not, and is of no use without the first.</param>
    private bool IsHonest(IpProtocol protocol, IpAddress source, ReadOnlySpan<byte> payload, int offset)
    {
        bool first = offset == 0;
        // What a packet is shall be seen in its first fragment (RFC 7112 5, RFC 3128 4): no headers that go on in the next, no transport header in parts.
        if (protocol is IpProtocol.HopByHop or IpProtocol.DestinationOptions or IpProtocol.Routing or IpProtocol.Fragment
            || (protocol == IpProtocol.Tcp && offset is > 0 and < TcpSegment.HeaderSize))
        {
            _counters.Malformed++;
            return false;
        }
        // A server of addresses among the guests would lead the others astray, and so would a router, or who asks for groups as if it were one.
        bool server = protocol == IpProtocol.Udp && first && IsOfAddressServer(payload);
        bool router = protocol == IpProtocol.Igmp || (protocol == IpProtocol.Icmp6 && first && (Neighbors.IsDiscovery(payload) || MldMessage.Is(payload)));
        if (!Owns(source) || server || router)
        {
            _counters.Spoofed++;
            return false;
        }
        return true;
    }

    /// <param name="first">The payload begins with the transport's header.</param>
    /// <param name="reachable">Nobody is kept from the destination, whatever the rules.</param>
    private bool MayReach(Attachment member, IpProtocol protocol, IpAddress source, IpAddress destination, ReadOnlySpan<byte> payload, bool first, bool reachable, long now)
    {
        // Rules are for what a guest begins: the rest of a TCP connection is let through to whoever began it.
        bool begun = protocol == IpProtocol.Tcp && payload.Length > 13 && ((TcpFlags)payload[13] & (TcpFlags.Syn | TcpFlags.Ack)) != TcpFlags.Syn;
        if (reachable && (!first || begun))
            return true;
        // And they are about the member that gets the frame, by whichever address or group; but for all of them at once, and the host's own.
        GuestConfiguration whom = member._configuration;
        IpAddress to = ((source.IsV4 ? whom.V4 : whom.V6) ?? whom.V4 ?? whom.V6)?.Address ?? destination;
        ushort port = PortOf(protocol, payload);
        if (!reachable || !_gate.MayReach(protocol, to, port, now))
        {
            _gate.Deny(protocol, source, destination, port, now);
            return false;
        }
        // Of all else nobody knows who began: the other's rules are for every packet.
        return member._gate.MayEnter(protocol, source, destination, port, now);
    }

    /// <summary>From a server's port or, as clients do not look at that, to a client's (RFC 2131 4.1, RFC 8415 7.2).</summary>
    private static bool IsOfAddressServer(ReadOnlySpan<byte> datagram) =>
        datagram.Length < 4 || (ushort)(datagram[0] << 8 | datagram[1]) is DhcpServer.Port or Dhcp6Server.Port
        || (ushort)(datagram[2] << 8 | datagram[3]) is DhcpServer.ClientPort or Dhcp6Server.ClientPort;

    /// <summary>Whether the guest may speak as this address. Link-local ones are its to choose, but for those of the other members.</summary>
    private bool Owns(IpAddress source) =>
        _configuration.Owns(source, _guest) && !(source.IsLinkLocal && _network is not null && _network.TryFind(source, out Attachment? member) && member != this);
}
