using CsCheck;
using Hypha.Net.Capture;
using Hypha.Net.Gateway;
using Hypha.Net.Loop;
using Hypha.Net.Policy;
using Hypha.Net.Switch;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Gateway;

/// <summary>A guest's frames, as they come: nothing here opens a socket to anywhere but what it says.</summary>
[Collection<WholeMemory>]
public sealed class AttachmentTests : IDisposable
{
    private static readonly MacAddress s_mac = new(0x0275_0A4B_0002), s_otherMac = new(0x0275_0A4B_0003);

    private readonly EventLoop _loop = new();
    private readonly NetworkSwitch _network = new("default");
    private readonly MemoryLink _link = new(), _otherLink = new();
    private readonly Attachment _guest, _other;
    private readonly GuestConfiguration _configuration;

    public AttachmentTests()
    {
        _configuration = Configuration(s_mac, "10.75.0.2/16", "fd75::2/64", "first");
        _guest = new Attachment(_loop, _link, _configuration, _network);
        _other = new Attachment(_loop, _otherLink, Configuration(s_otherMac, "10.75.0.3/16", "fd75::3/64", "second"), _network);
        Assert.True(_network.TryAdd(_guest));
        Assert.True(_network.TryAdd(_other));
    }

    public void Dispose()
    {
        _guest.Dispose();
        _other.Dispose();
        _loop.Dispose();
    }

    [Fact]
    public void A_guest_that_is_served_from_now_on_is_told_where_the_gateway_is()
    {
        _guest.Announce();
        Assert.Equal(WireFault.None, ArpPacket.TryParse(_link.Sent[0].AsSpan(14), out ArpPacket arp));
        Assert.Equal((_configuration.GatewayMac, Address("10.75.0.1"), Address("10.75.0.1")), (arp.SenderMac, arp.Sender, arp.Target));
        List<IpAddress> said = [];
        foreach (byte[] frame in _link.Sent[1..3])
        {
            Assert.Equal(WireFault.None, Ipv6Packet.TryParse(frame.AsSpan(14), out Ipv6Packet packet, out _));
            Assert.Equal(WireFault.None, IcmpMessage.TryParse(packet.Payload, packet.Source, packet.Destination, out IcmpMessage message));
            Assert.Equal(WireFault.None, NeighborMessage.TryParse(message, packet.HopLimit, out NeighborMessage told));
            Assert.Equal(_configuration.GatewayMac, told.LinkAddress);
            said.Add(told.Target);
        }
        Assert.Equal([Address("fd75::1"), IpAddress.LinkLocalOf(_configuration.GatewayMac)], said);
    }

    [Fact]
    public void What_the_router_says_is_said_again_before_it_ends()
    {
        _guest.Announce();
        for (int times = 1; times <= 4; times++)
        {
            int said = 0;
            foreach (byte[] frame in _link.Sent)
            {
                if (Ipv6Packet.TryParse(frame.AsSpan(14), out Ipv6Packet packet, out _) == WireFault.None && packet.Protocol == IpProtocol.Icmp6 && packet.Payload[0] == 134)
                {
                    Assert.Equal(Address("ff02::1"), packet.Destination);
                    said++;
                }
            }
            Assert.Equal(times, said);
            _loop.Timers.Advance(_loop.Now + times * 601 * MonotonicClock.Second); // it lasts 1,800 seconds
        }
    }

    [Fact]
    public void The_gateway_says_where_it_and_the_other_members_are_and_nothing_else()
    {
        foreach (var (asked, answer) in new (string, MacAddress?)[]
        {
            ("10.75.0.1", _configuration.GatewayMac), ("10.75.0.3", s_otherMac), ("10.75.0.4", null), ("10.75.0.2", null), ("192.0.2.1", null),
        })
        {
            _link.Sent.Clear();
            Send(Arp(s_mac, "10.75.0.2", asked));
            if (answer is not { } mac)
            {
                Assert.Empty(_link.Sent);
                continue;
            }
            byte[] frame = Assert.Single(_link.Sent);
            Assert.Equal(WireFault.None, ArpPacket.TryParse(frame.AsSpan(14), out ArpPacket reply));
            Assert.Equal((mac, Address(asked), s_mac), (reply.SenderMac, reply.Sender, reply.TargetMac));
        }
        Assert.Empty(_otherLink.Sent); // a question is not passed on
    }

    [Theory]
    [InlineData("10.75.0.3")] // its neighbour
    [InlineData("10.75.0.1")] // the gateway
    [InlineData("192.0.2.7")]
    public void ARP_that_claims_anothers_address_is_dropped_and_counted(string claimed)
    {
        Send(Arp(s_mac, claimed, "10.75.0.1"));
        Assert.Empty(_link.Sent);
        Assert.Equal(1ul, _guest.Counters.Spoofed);
    }

    [Fact]
    public void A_frame_to_a_neighbour_is_passed_on_as_it_is()
    {
        byte[] frame = Udp(s_mac, s_otherMac, "10.75.0.2", "10.75.0.3", 1_000, 2_000);
        Send(frame);
        Assert.Equal(frame, Assert.Single(_otherLink.Sent));
        Assert.Empty(_link.Sent);
        Assert.Equal((1ul, 1ul), (_guest.Statistics().Frames.FramesIn, _guest.Statistics().Frames.Forwarded));
        Assert.Equal((1ul, (ulong)frame.Length), (_other.Statistics().Output.Frames, _other.Statistics().Output.Bytes));
    }

    [Fact]
    public async Task Who_looks_sees_what_goes_each_way_until_it_is_over()
    {
        var third = new MacAddress(0x0275_0A4B_0004);
        var guest = new Attachment(_loop, new MemoryLink(), Configuration(third, "10.75.0.4/16", "fd75::4/64", "third"), _network);
        Assert.True(_network.TryAdd(guest));
        var before = new FrameCapture("before", CaptureFilter.None);
        var capture = new FrameCapture("vif", CaptureFilter.None);
        var after = new FrameCapture("after", CaptureFilter.None);
        guest.Add(before);
        guest.Add(capture);
        guest.Add(after);
        Send(Udp(s_mac, third, "10.75.0.2", "10.75.0.4", 1_000, 2_000));
        guest.Receive(default, Arp(third, "10.75.0.4", "10.75.0.1"), 0);
        guest.Receive(default, [1, 2, 3], 0); // no frame at all is seen, too
        guest.Remove(capture);
        guest.Receive(default, Arp(third, "10.75.0.4", "10.75.0.1"), 0);
        guest.Remove(before);
        Assert.Equal((4ul, 6ul, 6ul), (capture.Taken, before.Taken, after.Taken));
        foreach (FrameCapture ended in (FrameCapture[])[capture, before])
        {
            byte[] file = new byte[4_096];
            Assert.NotEqual(0, await ended.ReadAsync(file, default));
            Assert.Equal(0, await ended.ReadAsync(file, default));
        }
        guest.Dispose(); // whoever looks at a guest that goes is told
        Assert.NotEqual(0, await after.ReadAsync(new byte[4_096], default));
        Assert.Equal(0, await after.ReadAsync(new byte[4_096], default));
    }

    [Fact]
    public void A_neighbour_hears_nothing_from_who_lies()
    {
        Send(Udp(s_otherMac, s_otherMac, "10.75.0.2", "10.75.0.3", 1, 2));                       // another's MAC
        Send(Udp(s_mac, s_otherMac, "10.75.0.3", "10.75.0.3", 1, 2));                            // its address
        Send(Udp(s_mac, s_otherMac, "10.75.0.1", "10.75.0.3", 1, 2));                            // the gateway's
        Send(Udp(s_mac, s_otherMac, "192.0.2.1", "10.75.0.3", 1, 2));                            // a stranger's
        Send(Udp(s_mac, s_otherMac, "10.75.0.2", "10.75.0.3", 67, 68));                          // as a DHCP server
        Send(Udp(s_mac, s_otherMac, "fd75::2", "fd75::3", 547, 546));                            // of either family
        Send(Udp(_configuration.GatewayMac, s_otherMac, "10.75.0.2", "10.75.0.3", 1, 2));        // the gateway's MAC
        Assert.Equal(7ul, _guest.Counters.Spoofed);
        // A stranger's MAC, and all of them: nobody has it, and nobody is flooded.
        Send(Udp(s_mac, new MacAddress(0x0275_0A4B_0009), "10.75.0.2", "10.75.0.9", 1, 2));
        Send(Udp(s_mac, MacAddress.Broadcast, "10.75.0.2", "10.75.255.255", 1, 2));
        Send(RouterAdvertisementTo(s_otherMac));
        Assert.Empty(_otherLink.Sent);
    }

    [Fact]
    public void A_neighbours_rules_say_who_may_begin_to_speak_to_it()
    {
        MacAddress mac = new(0x0275_0A4B_0004);
        using var link = new MemoryLink();
        using var third = new Attachment(_loop, link, Configuration(mac, "10.75.0.4/16", "fd75::4/64", "third") with { Policy = NetworkPolicy.Parse("allow in udp from 10.75.0.2 port 53\nallow in tcp port 80\ndefault in deny") }, _network);
        Assert.True(_network.TryAdd(third));
        Send(Udp(s_mac, mac, "10.75.0.2", "10.75.0.4", 1_000, 53));
        Send(Tcp(s_mac, mac, "10.75.0.2", "10.75.0.4", 1_000, 80, TcpFlags.Syn));
        Send(Tcp(s_mac, mac, "10.75.0.2", "10.75.0.4", 1_000, 81, TcpFlags.Ack)); // an answer, as far as anybody knows
        Assert.Equal(3, link.Sent.Count);
        Send(Udp(s_mac, mac, "10.75.0.2", "10.75.0.4", 1_000, 54));
        Send(Udp(s_mac, mac, "fd75::2", "fd75::4", 1_000, 53));
        Send(Tcp(s_mac, mac, "10.75.0.2", "10.75.0.4", 1_000, 81, TcpFlags.Syn));
        Assert.Equal(3, link.Sent.Count);
        Assert.Equal((0ul, 3ul), (_guest.Counters.DeniedIn, third.Counters.DeniedIn));
    }

    [Fact]
    public void Frames_above_the_limit_go_no_further()
    {
        using var link = new MemoryLink();
        using var guest = new Attachment(_loop, link, _configuration with { Policy = NetworkPolicy.Parse("limit packets 100") });
        byte[] question = Arp(s_mac, "10.75.0.2", "10.75.0.1");
        for (int i = 0; i < 1_000; i++)
            guest.Receive(default, question, i * MonotonicClock.Millisecond);
        Assert.InRange(link.Count, 100, 100 + 64 + 1); // a second of them, and a burst
        Assert.Equal(1_000 - (ulong)link.Count, guest.Counters.LimitedOut);
    }

    [Fact]
    public void A_neighbour_is_sent_no_more_than_its_limit()
    {
        MacAddress mac = new(0x0275_0A4B_0004);
        using var link = new MemoryLink();
        using var third = new Attachment(_loop, link, Configuration(mac, "10.75.0.4/16", "fd75::4/64", "third") with { Policy = NetworkPolicy.Parse("limit in 64kbit") }, _network);
        Assert.True(_network.TryAdd(third));
        byte[] frame = Udp(s_mac, mac, "10.75.0.2", "10.75.0.4", 1_000, 2_000, new byte[1_000]);
        for (int i = 0; i < 1_000; i++)
            Send(frame);
        Assert.InRange(link.Count, 16, 17); // 16 KiB
        Assert.Equal(1_000 - (ulong)link.Count, third.Counters.LimitedIn);
    }

    [Fact]
    public void A_second_member_with_the_same_address_is_not_taken()
    {
        using var link = new MemoryLink();
        using var twin = new Attachment(_loop, link, Configuration(new MacAddress(0x0275_0000_0001), "10.75.0.3/16", "fd75::33/64", "twin"), _network);
        Assert.False(_network.TryAdd(twin));
        Assert.True(_network.TryFind(Address("10.75.0.3"), out Attachment? found));
        Assert.Same(_other, found);
    }

    [Theory]
    [InlineData("second", "10.75.0.3")]
    [InlineData("SECOND", "10.75.0.3")]
    public void Names_of_the_network_are_answered_by_the_gateway(string name, string address)
    {
        byte[] query = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, (byte)name.Length, .. System.Text.Encoding.ASCII.GetBytes(name), 0, 0, 1, 0, 1];
        Send(Udp(s_mac, _configuration.GatewayMac, "10.75.0.2", "10.75.0.1", 5_000, 53, query));
        byte[] frame = Assert.Single(_link.Sent);
        Assert.Equal(Address(address), IpAddress.ReadV4(frame.AsSpan(frame.Length - 4)));
        Assert.Equal(query[..2], frame[42..44]);
    }

    [Fact]
    public void A_name_that_is_not_listed_is_refused_and_a_members_is_answered_and_opens_it()
    {
        using var link = new MemoryLink();
        using var guest = new Attachment(_loop, link, _configuration with { Policy = NetworkPolicy.Parse("allow udp to name second port 7\ndefault deny\ndns listed") }, _network);
        guest.Receive(default, Udp(s_mac, s_otherMac, "10.75.0.2", "10.75.0.3", 1_000, 7), 0);
        Assert.Empty(_otherLink.Sent);
        foreach (string name in (string[])["second", "x"])
            guest.Receive(default, Udp(s_mac, _configuration.GatewayMac, "10.75.0.2", "10.75.0.1", 5_000, 53, [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, (byte)name.Length, .. System.Text.Encoding.ASCII.GetBytes(name), 0, 0, 1, 0, 1]), 0);
        Assert.Equal([(byte)DnsStatus.NoError, (byte)DnsStatus.Refused], link.Sent.Select(frame => (byte)(frame[45] & 0xF)));
        Assert.Equal(1ul, guest.Counters.NamesRefused);
        guest.Receive(default, Udp(s_mac, s_otherMac, "10.75.0.2", "10.75.0.3", 1_000, 7), 0);
        guest.Receive(default, Udp(s_mac, s_otherMac, "10.75.0.2", "10.75.0.3", 1_000, 8), 0);
        Assert.Single(_otherLink.Sent);
    }

    [Fact]
    public void An_address_out_of_reach_is_told_by_ICMP()
    {
        Send(Udp(s_mac, _configuration.GatewayMac, "10.75.0.2", "169.254.169.254", 1, 80));
        byte[] frame = Assert.Single(_link.Sent);
        Assert.Equal(((byte)IcmpType.Unreachable, (byte)IcmpUnreachable.Prohibited), (frame[34], frame[35]));
        Assert.Equal(1ul, _guest.Counters.Denied);
    }

    [Fact]
    public void Errors_are_not_told_without_end()
    {
        for (int i = 0; i < 1_000; i++)
            Send(Udp(s_mac, _configuration.GatewayMac, "10.75.0.2", "169.254.169.254", 1, 80));
        Assert.InRange(_link.Sent.Count, 10, 60);
    }

    [Fact]
    public void No_bytes_throw() => Gen.Byte.Array[0, 200].Sample(bytes =>
    {
        _link.Forgets = _otherLink.Forgets = true;
        _guest.Receive(default, bytes, 0);
        byte[] from = [.. Bytes(_configuration.GatewayMac), .. Bytes(s_mac), .. bytes];
        _guest.Receive(default, from, 0);
    }, iter: 20_000);

    [Fact]
    public void No_change_of_a_good_frame_throws()
    {
        byte[][] good =
        [
            Arp(s_mac, "10.75.0.2", "10.75.0.1"),
            Udp(s_mac, _configuration.GatewayMac, "10.75.0.2", "10.75.0.1", 5_000, 53, [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, (byte)'x', 0, 0, 1, 0, 1]),
            Udp(s_mac, _configuration.GatewayMac, "fd75::2", "fd75::1", 5_000, 9),
            Udp(s_mac, s_otherMac, "fd75::2", "fd75::3", 5_000, 9),
            RouterAdvertisementTo(_configuration.GatewayMac),
        ];
        _link.Forgets = _otherLink.Forgets = true;
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Select(Gen.Int[0, 120], Gen.Byte).Array[1, 4], Gen.Int[0, 120]).Sample((which, changes, length) =>
        {
            byte[] frame = [.. good[which]];
            foreach (var (at, value) in changes)
            {
                // Not the destination address: nothing leaves for anywhere.
                if (at < frame.Length && at is < 26 or > 53)
                    frame[at] = value;
            }
            _guest.Receive(default, frame.AsSpan(0, Math.Min(frame.Length, 14 + length)), 0);
        }, iter: 20_000);
    }

    [Fact]
    public void A_flood_allocates_nothing()
    {
        _link.Forgets = _otherLink.Forgets = true;
        byte[][] frames =
        [
            Arp(s_mac, "10.75.0.2", "10.75.0.1"),
            Udp(s_mac, s_otherMac, "10.75.0.2", "10.75.0.3", 1_000, 2_000),
            Udp(s_mac, _configuration.GatewayMac, "10.75.0.2", "10.75.0.1", 1_000, 2_000),
            Udp(s_mac, _configuration.GatewayMac, "fd75::2", "fe80::9", 1_000, 2_000),
        ];
        for (int i = 0; i < 1_000; i++)
            _guest.Receive(default, frames[i & 3], i);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
            _guest.Receive(default, frames[i & 3], i);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_guest_of_an_internal_network_reaches_its_neighbours_and_nothing_else_whatever_its_rules_say()
    {
        var link = new MemoryLink();
        GuestConfiguration configuration = Configuration(new MacAddress(0x0275_0A4B_0004), "10.75.0.4/16", "fd75::4/64", "third") with
        {
            Internal = true,
            Policy = NetworkPolicy.Parse("allow udp to 192.0.2.9\nallow udp to 2001:db8::9"),
            Dns = [Address("192.0.2.9")],
        };
        using var inside = new Attachment(_loop, link, configuration, _network);
        MacAddress mac = configuration.Mac!.Value;
        foreach (var (from, to) in new[] { ("10.75.0.4", "192.0.2.9"), ("fd75::4", "2001:db8::9"), ("10.75.0.4", "10.76.0.2") })
        {
            link.Sent.Clear();
            ulong denied = inside.Counters.Denied;
            inside.Receive(default, Udp(mac, configuration.GatewayMac, from, to, 1_000, 2_000), 0);
            Assert.Equal(denied + 1, inside.Counters.Denied);
            Assert.Single(link.Sent); // and is told
        }
        byte[] frame = Udp(mac, s_otherMac, "10.75.0.4", "10.75.0.3", 1_000, 2_000);
        inside.Receive(default, frame, 0);
        Assert.Equal(frame, Assert.Single(_otherLink.Sent));

        // Names of the network are answered, others asked of nobody.
        foreach (var (name, status) in new[] { ("second", 0), ("x.test", 5) })
        {
            link.Sent.Clear();
            inside.Receive(default, Udp(mac, configuration.GatewayMac, "10.75.0.4", "10.75.0.1", 5_000, 53, Question(name)), 0);
            Assert.Equal(status, Assert.Single(link.Sent)[14 + Ipv4Packet.HeaderSize + UdpDatagram.HeaderSize + 3] & 15);
        }
    }

    private static byte[] Question(string name) =>
        [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. name.Split('.').SelectMany(label => System.Text.Encoding.ASCII.GetBytes(label).Prepend((byte)label.Length)), 0, 0, 1, 0, 1];

    private static GuestConfiguration Configuration(MacAddress mac, string v4, string v6, string name)
    {
        Assert.True(Subnet.TryParse(v4, out Subnet subnet) & Subnet.TryParse(v6, out Subnet subnet6));
        return new GuestConfiguration { Mac = mac, V4 = subnet, V6 = subnet6, GatewayV4 = Address("10.75.0.1"), GatewayV6 = Address("fd75::1"), Names = [name], Dns = [] };
    }

    private void Send(byte[] frame) => _guest.Receive(default, frame, 0);

    private static IpAddress Address(string text) => IpAddress.TryParse(text, out IpAddress address) ? address : throw new FormatException(text);

    private static byte[] Bytes(MacAddress mac)
    {
        byte[] bytes = new byte[6];
        mac.Write(bytes);
        return bytes;
    }

    private static byte[] Arp(MacAddress from, string sender, string target)
    {
        byte[] frame = new byte[EthernetFrame.HeaderSize + ArpPacket.Size];
        EthernetFrame.Write(frame, MacAddress.Broadcast, from, EtherType.Arp);
        new ArpPacket(ArpOperation.Request, from, Address(sender), default, Address(target)).Write(frame.AsSpan(EthernetFrame.HeaderSize));
        return frame;
    }

    private static byte[] Udp(MacAddress from, MacAddress to, string source, string destination, ushort sourcePort, ushort port, byte[]? payload = null)
    {
        payload ??= [1, 2, 3];
        IpAddress sender = Address(source), receiver = Address(destination);
        int header = sender.IsV4 ? Ipv4Packet.HeaderSize : Ipv6Packet.HeaderSize;
        byte[] frame = new byte[EthernetFrame.HeaderSize + header + UdpDatagram.HeaderSize + payload.Length];
        EthernetFrame.Write(frame, to, from, sender.IsV4 ? EtherType.Ipv4 : EtherType.Ipv6);
        Span<byte> packet = frame.AsSpan(EthernetFrame.HeaderSize);
        if (sender.IsV4)
            Ipv4Packet.Write(packet, sender, receiver, IpProtocol.Udp, packet.Length);
        else
            Ipv6Packet.Write(packet, sender, receiver, IpProtocol.Udp, packet.Length - header);
        payload.CopyTo(packet[(header + UdpDatagram.HeaderSize)..]);
        UdpDatagram.WriteHeader(packet[header..], sender, receiver, sourcePort, port);
        return frame;
    }

    private static byte[] Tcp(MacAddress from, MacAddress to, string source, string destination, ushort sourcePort, ushort port, TcpFlags flags)
    {
        byte[] frame = new byte[EthernetFrame.HeaderSize + Ipv4Packet.HeaderSize + TcpSegment.HeaderSize];
        EthernetFrame.Write(frame, to, from, EtherType.Ipv4);
        Span<byte> packet = frame.AsSpan(EthernetFrame.HeaderSize);
        Ipv4Packet.Write(packet, Address(source), Address(destination), IpProtocol.Tcp, packet.Length);
        TcpSegment.WriteHeader(packet[Ipv4Packet.HeaderSize..], sourcePort, port, new SequenceNumber(1), default, flags, 1_000);
        return frame;
    }

    private static byte[] RouterAdvertisementTo(MacAddress to)
    {
        IpAddress self = IpAddress.LinkLocalOf(s_mac), all = Address("ff02::1");
        byte[] frame = new byte[EthernetFrame.HeaderSize + Ipv6Packet.HeaderSize + RouterAdvertisement.Size];
        EthernetFrame.Write(frame, to, s_mac, EtherType.Ipv6);
        Ipv6Packet.Write(frame.AsSpan(EthernetFrame.HeaderSize), self, all, IpProtocol.Icmp6, RouterAdvertisement.Size, 255);
        new RouterAdvertisement(s_mac, new Subnet(Address("fd75::"), 64), 1_500, self, 1_800).Write(frame.AsSpan(EthernetFrame.HeaderSize + Ipv6Packet.HeaderSize), self, all);
        return frame;
    }
}
