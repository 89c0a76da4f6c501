using System.Buffers.Binary;
using Hypha.Net.Gateway;
using Hypha.Net.Ip;
using Hypha.Net.Tests.Gateway;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Fuzz;

/// <summary>What holds for every frame that leaves, whatever came in.</summary>
internal sealed class FrameCheck(GuestConfiguration guest, int mtu)
{
    private static readonly IpAddress s_otherLinkLocal = IpAddress.LinkLocalOf(GuestScene.OtherMac);

    /// <summary>What the neighbour is in.</summary>
    public static readonly IpAddress[] NeighborsGroups = [Frames.Address("224.0.0.251"), Frames.Address("ff02::fb")];

    public long Count { get; private set; }

    /// <summary>Frames to the neighbour that were to a group.</summary>
    public long Groups { get; private set; }

    /// <summary>The gateway's, to the guest.</summary>
    public void ToGuest(VirtioNetHeader offload, byte[] frame)
    {
        Count++;
        Assert.Equal(WireFault.None, EthernetFrame.TryParse(frame, out EthernetFrame ethernet));
        Assert.Equal(guest.GatewayMac, ethernet.Source);
        Assert.True(ethernet.Destination == GuestScene.Mac || ethernet.Destination.IsGroup, "to somebody else");
        if (offload.Segmentation == Segmentation.None)
            Assert.InRange(frame.Length, EthernetFrame.HeaderSize, EthernetFrame.HeaderSize + mtu);
        else
            Assert.InRange(offload.HeaderLength + offload.SegmentSize, offload.HeaderLength + 1, EthernetFrame.HeaderSize + mtu);
        switch (ethernet.Type)
        {
            case EtherType.Arp:
                Assert.Equal(WireFault.None, ArpPacket.TryParse(ethernet.Payload, out ArpPacket arp));
                Assert.Equal(ArpOperation.Reply, arp.Operation);
                Assert.True(arp.Sender == guest.GatewayV4 ? arp.SenderMac == guest.GatewayMac : arp.SenderMac == GuestScene.OtherMac, "for somebody else");
                break;
            case EtherType.Ipv4:
                Assert.Equal(WireFault.None, Ipv4Packet.TryParse(ethernet.Payload, out Ipv4Packet packet));
                Assert.Equal(ethernet.Payload.Length, packet.Bytes.Length);
                FromSomebodyElse(packet.Source, packet.TimeToLive);
                if (!packet.IsFragment)
                    Transport(offload, packet.Protocol, packet.Source, packet.Destination, packet.Payload, frame.Length - packet.Payload.Length, packet.TimeToLive);
                break;
            case EtherType.Ipv6:
                Assert.Equal(WireFault.None, Ipv6Packet.TryParse(ethernet.Payload, out Ipv6Packet packet6, out _));
                Assert.Equal(ethernet.Payload.Length, packet6.Bytes.Length);
                FromSomebodyElse(packet6.Source, packet6.HopLimit);
                if (!packet6.IsFragment)
                    Transport(offload, packet6.Protocol, packet6.Source, packet6.Destination, packet6.Payload, frame.Length - packet6.Payload.Length, packet6.HopLimit);
                break;
            default:
                Assert.Fail($"a frame of type {ethernet.Type}");
                break;
        }
    }

    /// <summary>The guest's own, to its neighbour.</summary>
    public void ToNeighbor(VirtioNetHeader offload, byte[] frame)
    {
        Count++;
        Assert.Equal(WireFault.None, EthernetFrame.TryParse(frame, out EthernetFrame ethernet));
        // The gateway asks it for its groups.
        if (ethernet.Source == guest.GatewayMac && (ethernet.Destination == MacAddress.OfGroup(Frames.Address("224.0.0.1")) || ethernet.Destination == MacAddress.OfGroup(Frames.Address("ff02::1"))))
            return;
        Assert.Equal(GuestScene.Mac, ethernet.Source);
        if (ethernet.Type == EtherType.Ipv4)
        {
            Assert.Equal(WireFault.None, Ipv4Packet.TryParse(ethernet.Payload, out Ipv4Packet packet));
            ToNeighborOrItsGroup(ethernet.Destination, packet.Destination);
            Forwarded(packet.Protocol, packet.Source, packet.Payload, packet.FragmentOffset == 0);
            return;
        }
        Assert.Equal(WireFault.None, Ipv6Packet.TryParse(ethernet.Payload, out Ipv6Packet packet6, out _));
        ToNeighborOrItsGroup(ethernet.Destination, packet6.Destination);
        Forwarded(packet6.Protocol, packet6.Source, packet6.Payload, !packet6.IsFragment || packet6.FragmentOffset == 0);
    }

    private void ToNeighborOrItsGroup(MacAddress mac, IpAddress destination)
    {
        if (mac == GuestScene.OtherMac)
            return;
        Assert.Equal(MacAddress.OfGroup(destination), mac);
        Assert.Contains(destination, NeighborsGroups);
        Groups++;
    }

    private void Forwarded(IpProtocol protocol, IpAddress source, ReadOnlySpan<byte> payload, bool first)
    {
        Assert.True(guest.Owns(source, GuestScene.Mac) && source != s_otherLinkLocal, $"from {source}");
        if (!first)
            return;
        if (protocol == IpProtocol.Udp && payload.Length >= 4)
        {
            int from = BinaryPrimitives.ReadUInt16BigEndian(payload), to = BinaryPrimitives.ReadUInt16BigEndian(payload[2..]);
            Assert.False(from is 67 or 547 || to is 68 or 546, $"a server of addresses, from port {from} to {to}");
        }
        Assert.False(protocol == IpProtocol.Icmp6 && payload.Length > 0 && payload[0] is (>= 130 and <= 137) or 143, "discovery, or who is in which group");
        Assert.NotEqual(IpProtocol.Igmp, protocol);
        Assert.False(protocol is IpProtocol.HopByHop or IpProtocol.Routing or IpProtocol.Fragment or IpProtocol.DestinationOptions, "more headers");
    }

    private void FromSomebodyElse(IpAddress source, byte hopLimit)
    {
        Assert.False(guest.Owns(source, GuestScene.Mac) && !source.IsLinkLocal, $"from the guest's own {source}");
        Assert.False(source.IsMulticast || source.IsUnspecified || source.IsLoopback || source.IsBroadcast, $"from {source}");
        Assert.NotEqual(0, hopLimit);
    }

    private void Transport(in VirtioNetHeader offload, IpProtocol protocol, IpAddress source, IpAddress destination, ReadOnlySpan<byte> payload, int at, byte hopLimit)
    {
        switch (protocol)
        {
            case IpProtocol.Tcp:
                Assert.Equal(WireFault.None, TcpSegment.TryParse(payload, source, destination, out TcpSegment segment, checkSum: !offload.NeedsChecksum));
                LeftOut(offload, protocol, source, destination, payload, at, 16);
                Assert.True(segment.Payload.Length == 0 || guest.Owns(destination, GuestScene.Mac));
                break;
            case IpProtocol.Udp:
                Assert.Equal(WireFault.None, UdpDatagram.TryParse(payload, source, destination, out UdpDatagram datagram, checkSum: !offload.NeedsChecksum));
                LeftOut(offload, protocol, source, destination, payload, at, 6);
                Assert.Equal(payload.Length, datagram.Payload.Length + UdpDatagram.HeaderSize);
                break;
            case IpProtocol.Icmp or IpProtocol.Icmp6:
                Assert.Equal(WireFault.None, IcmpMessage.TryParse(payload, source, destination, out IcmpMessage message));
                bool v4 = source.IsV4;
                if (v4 ? message.Type is 3 or 11 or 12 : message.Type < 128)
                    Assert.True(guest.Owns(IcmpErrors.SourceOf(message.Body), GuestScene.Mac), "about somebody else's packet");
                else if (v4)
                    Assert.Equal((byte)IcmpType.EchoReply, message.Type);
                else if (message.Type == (byte)Icmp6Type.MulticastQuery)
                    Assert.Equal(WireFault.None, MldMessage.TryParse(message, hopLimit, out _));
                else
                    Assert.True(message.Type == (byte)Icmp6Type.EchoReply || (message.Type is 134 or 136 && hopLimit == 255), $"ICMPv6 type {message.Type}");
                break;
            case IpProtocol.Igmp:
                Assert.Equal(WireFault.None, IgmpMessage.TryParse(payload, out IgmpMessage question));
                Assert.Equal((IgmpType.Query, true, (byte)1), (question.Type, question.IsV3Query, hopLimit));
                break;
            default:
                Assert.Fail($"protocol {protocol}");
                break;
        }
    }

    /// <summary>A checksum that is left to the link: it is said where it belongs, and its beginning is there.</summary>
    private static void LeftOut(in VirtioNetHeader offload, IpProtocol protocol, IpAddress source, IpAddress destination, ReadOnlySpan<byte> payload, int at, int field)
    {
        if (!offload.NeedsChecksum)
            return;
        Assert.Equal((at, field), (offload.ChecksumStart, offload.ChecksumOffset));
        Assert.Equal(Checksum.OfPseudoHeader(source, destination, protocol, payload.Length).Partial, BinaryPrimitives.ReadUInt16BigEndian(payload[field..]));
    }
}
