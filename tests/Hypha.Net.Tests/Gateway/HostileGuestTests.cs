using Hypha.Linux;
using Hypha.Net.Ip;
using Hypha.Net.Loop;
using Hypha.Net.Wire;
using static Hypha.Net.Tests.Gateway.Frames;

namespace Hypha.Net.Tests.Gateway;

/// <summary>What a guest tries against its gateway and its neighbour: each once went through, or goes through elsewhere.</summary>
public sealed class HostileGuestTests : IDisposable
{
    private const string Self = "10.75.0.2", Other = "10.75.0.3", Self6 = "fd75::2", Other6 = "fd75::3";

    private static readonly IpAddress s_linkLocal = IpAddress.LinkLocalOf(GuestScene.Mac), s_otherLinkLocal = IpAddress.LinkLocalOf(GuestScene.OtherMac);

    private readonly GuestScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void A_solicitation_for_an_IPv4_address_in_IPv6_is_not_answered()
    {
        // It was, with a packet whose source was four bytes of it and twelve of an earlier packet.
        byte[] target = [.. new byte[10], 0xFF, 0xFF, 10, 75, 0, 1];
        string from = s_linkLocal.ToString(), to = "ff02::1:ff00:1";
        _scene.Send(Packet(from, to, IpProtocol.Icmp6, Icmp(from, to, 135, 0, [.. target, 1, 1, .. Bytes(GuestScene.Mac)]), hopLimit: 255));
        Assert.Empty(_scene.Link.Sent);
        Assert.Equal(1ul, _scene.Guest.Counters.Malformed);
    }

    [Fact]
    public void A_DHCPv6_reply_names_the_client_as_the_client_and_the_server_as_the_server()
    {
        byte[] client = [0, 3, 0, 1, .. Bytes(GuestScene.Mac)], server = [0, 3, 0, 1, .. Bytes(_scene.GatewayMac)];
        string from = s_linkLocal.ToString();
        _scene.Send(Packet(from, "ff02::1:2", IpProtocol.Udp, Udp(from, "ff02::1:2", 546, 547, [11, 1, 2, 3, 0, 1, 0, 10, .. client])));
        byte[] frame = Assert.Single(_scene.Link.Sent);
        Assert.Equal([7, 1, 2, 3, 0, 1, 0, 10, .. client, 0, 2, 0, 10, .. server], frame[62..94]);
    }

    [Theory]
    [InlineData(67, 68)]
    [InlineData(1_067, 68)] // clients look at their own port alone
    [InlineData(67, 1_068)]
    [InlineData(547, 546)]
    [InlineData(1_547, 546)]
    public void No_server_of_addresses_reaches_a_neighbour(ushort source, ushort port)
    {
        _scene.SendToOther(Packet(Self, Other, IpProtocol.Udp, Udp(Self, Other, source, port, 1)));
        _scene.SendToOther(Packet(Self6, Other6, IpProtocol.Udp, Udp(Self6, Other6, source, port, 1)));
        _scene.SendToOther(Fragment(Self, Other, IpProtocol.Udp, Udp(Self, Other, source, port, new byte[8]), 0, more: true));
        _scene.SendToOther(Fragment(Self6, Other6, IpProtocol.Udp, Udp(Self6, Other6, source, port, new byte[8]), 0, more: true));
        Assert.Empty(_scene.OtherLink.Sent);
        Assert.Equal(4ul, _scene.Guest.Counters.Spoofed);
    }

    [Theory]
    [InlineData(IpProtocol.DestinationOptions)]
    [InlineData(IpProtocol.Routing)]
    [InlineData(IpProtocol.HopByHop)]
    [InlineData(IpProtocol.Fragment)]
    public void What_a_fragment_hides_behind_more_headers_does_not_reach_a_neighbour(IpProtocol hiding)
    {
        // RFC 7113: a router advertisement, or a server, that the check of the first header does not see.
        byte[] options = [(byte)IpProtocol.Icmp6, 0, 1, 4, 0, 0, 0, 0];
        byte[] hidden = [.. options, .. Icmp(Self6, "ff02::1", 134, 0, new byte[8])];
        _scene.SendToOther(Fragment(Self6, Other6, hiding, hidden, 0, more: true));
        _scene.SendToOther(Fragment(Self6, Other6, hiding, new byte[8], hidden.Length, more: false));
        Assert.Empty(_scene.OtherLink.Sent);
        Assert.Equal(2ul, _scene.Guest.Counters.Malformed);
    }

    [Theory]
    [InlineData(8, false)]
    [InlineData(16, false)]
    [InlineData(24, true)]
    public void A_fragment_that_would_write_over_a_TCP_header_does_not_reach_a_neighbour(int offset, bool passes)
    {
        // RFC 3128: the first says that it belongs to a connection, the next makes it one that begins.
        foreach (var (source, destination) in new[] { (Self, Other), (Self6, Other6) })
            _scene.SendToOther(Fragment(source, destination, IpProtocol.Tcp, new byte[16], offset, more: false));
        Assert.Equal(passes ? 2 : 0, _scene.OtherLink.Sent.Count);
    }

    [Fact]
    public void A_neighbours_link_local_address_is_not_the_guests_to_use()
    {
        string self = s_linkLocal.ToString(), other = s_otherLinkLocal.ToString();
        _scene.SendToOther(Packet(other, Other6, IpProtocol.Udp, Udp(other, Other6, 1, 2)));
        _scene.Send(Packet(other, "fd75::1", IpProtocol.Icmp6, Icmp(other, "fd75::1", 128, 1)));
        Assert.Empty(_scene.OtherLink.Sent);
        Assert.Empty(_scene.Link.Sent);
        Assert.Equal(2ul, _scene.Guest.Counters.Spoofed);
        // Its own is, and one that it made up (RFC 7217).
        _scene.SendToOther(Packet(self, other, IpProtocol.Udp, Udp(self, other, 1, 2)));
        _scene.SendToOther(Packet("fe80::1234", other, IpProtocol.Udp, Udp("fe80::1234", other, 1, 2)));
        Assert.Equal(2, _scene.OtherLink.Sent.Count);
    }

    [Fact]
    public void Rules_about_a_neighbour_hold_for_whichever_address_it_is_called_by()
    {
        using var scene = new GuestScene(policy: "deny tcp to 10.75.0.3\ndeny udp to 10.75.0.3 port 53\ndeny to fd75::3");
        string self = s_linkLocal.ToString(), other = s_otherLinkLocal.ToString();
        scene.SendToOther(Packet(self, other, IpProtocol.Udp, Udp(self, other, 1, 2)));
        scene.SendToOther(Packet(self, "ff02::1", IpProtocol.Udp, Udp(self, "ff02::1", 1, 2)));
        foreach (string to in new[] { Other, "10.75.255.255", "255.255.255.255", "224.0.0.1", "192.0.2.1" })
        {
            scene.SendToOther(Packet(Self, to, IpProtocol.Udp, Udp(Self, to, 1, 53)));
            scene.SendToOther(Packet(Self, to, IpProtocol.Tcp, Segment(Self, to, 1, 2, 3, 0, TcpFlags.Syn)));
        }
        Assert.Empty(scene.OtherLink.Sent);
        Assert.Equal(12ul, scene.Guest.Counters.Denied);
        scene.SendToOther(Packet(Self, Other, IpProtocol.Udp, Udp(Self, Other, 1, 54)));
        Assert.Single(scene.OtherLink.Sent);
    }

    [Theory]
    [InlineData(Self)]
    [InlineData(Self6)]
    public void Nobody_reaches_itself_by_the_gateway(string self) => Namespace.Run(() =>
    {
        // The host was asked to connect to whoever has that address there, and the guest heard from itself.
        using var scene = new GuestScene();
        scene.Send(Packet(self, self, IpProtocol.Tcp, Segment(self, self, 1, 1, 3, 0, TcpFlags.Syn)));
        scene.Send(Packet(self, self, IpProtocol.Udp, Udp(self, self, 1, 1)));
        bool v4 = self == Self;
        scene.Send(Packet(self, self, v4 ? IpProtocol.Icmp : IpProtocol.Icmp6, Icmp(self, self, v4 ? (byte)IcmpType.Echo : (byte)Icmp6Type.Echo, 1)));
        Assert.Empty(scene.Link.Sent);
        Assert.Equal((0, 0, 0), (scene.Guest.Tcp.Count, scene.Guest.Udp.Count, scene.Guest.EchoNat.Count));
        Assert.Equal(3ul, scene.Guest.Counters.Ignored);
    });

    [Theory]
    [InlineData(Self, "10.75.0.77")]
    [InlineData(Self6, "fd75::77")]
    public void Nobody_on_the_host_is_reached_by_an_address_of_the_network(string self, string other) => Namespace.Run(() =>
    {
        using var scene = new GuestScene();
        scene.Send(Packet(self, other, IpProtocol.Tcp, Segment(self, other, 1, 1, 3, 0, TcpFlags.Syn)));
        scene.Send(Packet(self, other, IpProtocol.Udp, Udp(self, other, 1, 1)));
        Assert.Equal((0, 0, 2ul), (scene.Guest.Tcp.Count, scene.Guest.Udp.Count, scene.Guest.Counters.Ignored));
        Assert.NotEmpty(scene.Link.Sent); // it is told
    });

    [Fact]
    public void Fragments_of_fragments_are_not_put_together()
    {
        // Each last part would complete the next outer one, in one call and in one buffer.
        byte[] part = [(byte)IpProtocol.Udp, 0, 0, 0, 0, 0, 0, 9, .. Udp(Self6, "fd75::1", 1, 2, new byte[8])];
        for (uint level = 1; level <= Reassembly.Datagrams; level++)
        {
            _scene.Send(Fragment(Self6, "fd75::1", IpProtocol.Fragment, part[..8], 0, more: true, level));
            _scene.Send(Fragment(Self6, "fd75::1", IpProtocol.Fragment, part[8..], 8, more: false, level));
        }
        Assert.Equal(0ul, _scene.Guest.Reassembly.Counters.Reassembled);
        Assert.Equal(2ul * Reassembly.Datagrams, _scene.Guest.Reassembly.Counters.Malformed);
        Assert.Equal(0, _scene.Guest.Reassembly.Count);
    }

    [Fact]
    public void A_guest_that_floods_has_one_share_of_each_turn_and_no_more()
    {
        // Each event while frames were left over was another place in the queue, for as long as the flood went on.
        _scene.Link.Flood = Arp(GuestScene.Mac, Self, "10.75.0.9");
        for (int i = 0; i < 10; i++)
            _scene.Guest.Ready(EpollEvents.Readable, _scene.Loop.Now);
        for (int i = 0; i < 10; i++)
        {
            int before = _scene.Link.Asked;
            _scene.Guest.Ready(EpollEvents.Readable, _scene.Loop.Now);
            Assert.Equal(before, _scene.Link.Asked);
            _scene.Loop.Once();
            Assert.InRange(_scene.Link.Asked - before, 1, 128);
        }
        _scene.Link.Flood = null;
        _scene.Loop.Once();
        Assert.False(_scene.Loop.HasTurns);
    }

    [Fact]
    public void Frames_that_take_long_are_fewer_in_a_turn()
    {
        _scene.Link.Flood = Arp(GuestScene.Mac, Self, "10.75.0.9");
        _scene.Link.Cost = TimeSpan.FromMicroseconds(TurnShares.Longest);
        _scene.Guest.Ready(EpollEvents.Readable, _scene.Loop.Now);
        Assert.Equal(8, _scene.Link.Asked);
        _scene.Loop.Once();
        Assert.Equal(16, _scene.Link.Asked);
        Assert.True(_scene.Loop.HasTurns); // what is left has its turn
    }

    [Fact]
    public void Whoever_asks_for_everybody_learns_of_the_members_alone_and_costs_nothing()
    {
        _scene.Link.Forgets = true;
        byte[] frame = Arp(GuestScene.Mac, Self, "10.75.0.0");
        _scene.Guest.Receive(default, frame, 0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 65_536; i++)
        {
            (frame[40], frame[41]) = ((byte)(i >> 8), (byte)i);
            _scene.Guest.Receive(default, frame, 0);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(2, _scene.Link.Count); // the gateway and the neighbour
        string from = s_linkLocal.ToString(), to = "ff02::1:ff00:1";
        for (int i = 0; i < 1_000; i++)
            _scene.Send(Packet(from, to, IpProtocol.Icmp6, Icmp(from, to, 135, 0, Bytes(new IpAddress(0xFD75_0000_0000_0000, (ulong)i))), hopLimit: 255));
        Assert.Equal(4, _scene.Link.Count);
    }
}
