using Hypha.Net.Dns;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Fuzz;

/// <summary>Each parser, with a look at all that it gives.</summary>
internal static class ParserTargets
{
    private static readonly IpAddress s_v4 = Gateway.Frames.Address("10.75.0.2"), s_world = Gateway.Frames.Address("192.0.2.2"),
        s_linkLocal = Gateway.Frames.Address("fe80::75:aff:fe4b:2"), s_group = Gateway.Frames.Address("ff02::1:ff00:1");

    private static readonly byte[] s_server = [0, 3, 0, 1, 2, 0, 0x48, 0x59, 0x50, 1];

    /// <summary>By the name of its corpus.</summary>
    public static Dictionary<string, Action<byte[]>> All { get; } = new()
    {
        ["ethernet"] = bytes =>
        {
            if (EthernetFrame.TryParse(bytes, out EthernetFrame frame) == WireFault.None)
                _ = (frame.Destination, frame.Source, frame.Type, frame.Payload.Length);
        },
        ["arp"] = bytes =>
        {
            if (ArpPacket.TryParse(bytes, out ArpPacket packet) != WireFault.None)
                return;
            byte[] written = new byte[ArpPacket.Size];
            packet.Write(written);
            Assert.Equal(bytes[..ArpPacket.Size], written);
        },
        ["ipv4"] = bytes =>
        {
            foreach (bool check in (bool[])[true, false])
            {
                if (Ipv4Packet.TryParse(bytes, out Ipv4Packet packet, check) != WireFault.None)
                    continue;
                _ = (packet.Source, packet.Destination, packet.Protocol, packet.FragmentOffset, packet.MoreFragments, packet.DontFragment, packet.Identification, packet.TrafficClass);
                Assert.Equal(packet.Bytes.Length, packet.HeaderLength + packet.Payload.Length);
            }
        },
        ["ipv6"] = bytes =>
        {
            if (Ipv6Packet.TryParse(bytes, out Ipv6Packet packet, out int at) != WireFault.None)
                return;
            _ = (packet.Source, packet.Destination, packet.Protocol, packet.HopLimit, packet.TrafficClass);
            if (packet.IsFragment)
                _ = (packet.FragmentOffset, packet.MoreFragments, packet.Identification, packet.HeadersBeforeFragment.Length);
            Assert.InRange(at, Ipv6Packet.HeaderSize, packet.Bytes.Length);
            Assert.InRange(packet.Payload.Length, 0, packet.Bytes.Length - Ipv6Packet.HeaderSize);
            Assert.False(packet.Source.IsV4 || packet.Destination.IsV4);
        },
        ["tcp"] = bytes =>
        {
            foreach (bool check in (bool[])[true, false])
            {
                if (TcpSegment.TryParse(bytes, s_v4, s_world, out TcpSegment segment, check) != WireFault.None)
                    continue;
                _ = (segment.SourcePort, segment.DestinationPort, segment.Sequence, segment.Acknowledgment, segment.Flags, segment.Window, segment.SequenceLength);
                Assert.Equal(bytes.Length, TcpSegment.HeaderSize + segment.Options.Length + segment.Payload.Length);
                TcpOptions.Read(segment.Options, out _);
            }
        },
        ["tcpoptions"] = bytes =>
        {
            TcpOptions.Read(bytes, out TcpOptions options);
            byte[] written = new byte[TcpOptions.MaximumSize];
            TcpOptions.Read(written.AsSpan(0, options.Write(written)), out TcpOptions read);
            Assert.Equal((options.SegmentSize, options.WindowShift, options.SackPermitted, options.HasTimestamps), (read.SegmentSize, read.WindowShift, read.SackPermitted, read.HasTimestamps));
        },
        ["udp"] = bytes =>
        {
            foreach (bool check in (bool[])[true, false])
            {
                if (UdpDatagram.TryParse(bytes, s_v4, s_world, out UdpDatagram datagram, check) == WireFault.None)
                    _ = (datagram.SourcePort, datagram.DestinationPort, datagram.Payload.Length);
            }
        },
        ["icmp"] = bytes =>
        {
            foreach (bool check in (bool[])[true, false])
            {
                if (IcmpMessage.TryParse(bytes, s_v4, s_world, out IcmpMessage message, check) == WireFault.None)
                    _ = (message.Type, message.Code, message.Parameter, message.EchoId, message.EchoSequence, message.Body.Length);
            }
        },
        ["icmp6"] = bytes =>
        {
            if (IcmpMessage.TryParse(bytes, s_linkLocal, s_group, out IcmpMessage message, checkSum: false) != WireFault.None
                || NeighborMessage.TryParse(message, 255, out NeighborMessage neighbor) != WireFault.None)
            {
                return;
            }
            Assert.False(neighbor.Target.IsV4 || neighbor.Target.IsMulticast);
        },
        ["igmp"] = bytes =>
        {
            foreach (bool check in (bool[])[true, false])
            {
                if (IgmpMessage.TryParse(bytes, out IgmpMessage message, check) != WireFault.None)
                    continue;
                if (message.IsV3Query)
                    _ = (message.MaximumResponse, message.Robustness, message.Interval);
                if (message.Type == IgmpType.ReportV3)
                    AreGroups(message.Records, v4: true);
                else
                    Assert.True(message.Group.IsMulticast || message.Type == IgmpType.Query);
            }
        },
        ["mld"] = bytes =>
        {
            if (IcmpMessage.TryParse(bytes, s_linkLocal, s_group, out IcmpMessage icmp, checkSum: false) != WireFault.None
                || MldMessage.TryParse(icmp, 1, out MldMessage message) != WireFault.None)
            {
                return;
            }
            if (message.IsV2Query)
                _ = (message.MaximumResponse, message.Robustness, message.Interval);
            if (message.Type == Icmp6Type.MulticastReportV2)
                AreGroups(message.Records, v4: false);
            else
                Assert.True((message.Group.IsMulticast && !message.Group.IsV4) || message.Type == Icmp6Type.MulticastQuery);
        },
        ["dhcp"] = bytes =>
        {
            if (DhcpMessage.TryParse(bytes, out DhcpMessage message) != WireFault.None)
                return;
            int length = message.WriteReply(new byte[DhcpMessage.MaximumReply], DhcpType.Ack, new Subnet(s_v4, 16), s_world, 1_500, 1, "name"u8);
            Assert.InRange(length, 300, DhcpMessage.MaximumReply);
        },
        ["dhcp6"] = bytes =>
        {
            if (Dhcp6Message.TryParse(bytes, s_server, out Dhcp6Message message, out ReadOnlySpan<byte> client) == WireFault.None)
                message.WriteReply(new byte[Dhcp6Message.MaximumReply], client, s_server, s_group);
        },
        ["dns"] = bytes =>
        {
            if (DnsMessage.TryParse(bytes, out DnsMessage message) != WireFault.None)
                return;
            ReadOnlySpan<byte> name = message.CopyName(new byte[DnsMessage.MaximumName]);
            ReverseName.TryParse(name, out _);
            byte[] answer = new byte[LocalNames.LongestAnswer];
            int length = message.BeginAnswer(answer, DnsStatus.NoError, 1, authoritative: true);
            length = DnsMessage.AppendRecord(answer, length, message.Type, 5, new byte[65]);
            Assert.Equal(WireFault.None, DnsMessage.TryParse(answer.AsSpan(0, length), out DnsMessage read));
            Assert.True(read.IsResponse && read.Id == message.Id && read.AsksTheSame(message) && message.UdpSize >= DnsMessage.PlainSize);
        },
        ["virtio"] = bytes =>
        {
            if (bytes.Length >= VirtioNetHeader.Size)
                VirtioNetHeader.Read(bytes).Write(new byte[VirtioNetHeader.Size]);
        },
    };

    private static void AreGroups(GroupRecords records, bool v4)
    {
        foreach (GroupRecord record in records)
        {
            Assert.True(record.Group.IsMulticast && record.Group.IsV4 == v4);
            Assert.False(record.IsJoin && record.IsLeave);
        }
    }
}
