using Hypha.Net.Gateway;
using Hypha.Net.Loop;
using Hypha.Net.Wire;
using static Hypha.Net.Tests.Gateway.Frames;

namespace Hypha.Net.Tests.Gateway;

/// <summary>Groups: who joined one hears it, and nobody else.</summary>
public sealed class GroupTests
{
    private const string Dns = "224.0.0.251", Dns6 = "ff02::fb", Wide = "239.1.2.3", Wide6 = "ff05::1234";

    [Theory]
    [InlineData(Dns)]
    [InlineData(Dns6)]
    [InlineData(Wide)]
    [InlineData(Wide6)]
    public void Who_joined_hears_a_group_until_it_leaves_and_strangers_never_do(string group)
    {
        using var scene = new GroupScene();
        scene.Join(scene.Stranger, group);
        scene.Say(0, group);
        Assert.Empty(scene.Heard());
        scene.Join(1, group);
        Assert.Empty(scene.Heard()); // what it said is for the gateway alone
        byte[] frame = scene.Say(0, group);
        Assert.Equal(frame, Assert.Single(scene.Link(1).Sent)); // as it was: hop limit, addresses, all
        Assert.Equal([1], scene.Heard());
        scene.Join(0, group);
        scene.Join(2, group, group);
        scene.Say(0, group);
        Assert.Equal([1, 2], scene.Heard());
        scene.Leave(1, group);
        scene.Say(0, group);
        Assert.Equal([2], scene.Heard());
        scene.Say(2, group);
        Assert.Equal([0], scene.Heard());
        Assert.Equal((4ul, 1ul), (scene[0].Counters.Forwarded, scene[0].Counters.Ignored));
        Assert.Equal((0ul, 0ul), (scene[0].Counters.Denied, scene[0].Counters.Spoofed));
    }

    [Fact]
    public void Hosts_of_the_older_versions_join_and_leave()
    {
        using var scene = new GroupScene();
        byte[] group = Bytes(Address(Wide)), group6 = Bytes(Address(Wide6));
        scene.Control(1, scene.V4(1), Wide, [0x16, 0, 0, 0, .. group]);
        scene.Control(2, scene.V4(2), Wide, [0x12, 0, 0, 0, .. group]); // IGMPv1
        scene.Say(0, Wide);
        Assert.Equal([1, 2], scene.Heard());
        scene.Control(1, scene.V4(1), "224.0.0.2", [0x17, 0, 0, 0, .. group]);
        scene.Say(0, Wide);
        Assert.Equal([2], scene.Heard());
        scene.Control(1, scene.LinkLocal(1), Wide6, [131, 0, 0, 0, 0, 0, 0, 0, .. group6]);
        scene.Say(0, Wide6);
        Assert.Equal([1], scene.Heard());
        scene.Control(1, scene.LinkLocal(1), "ff02::2", [132, 0, 0, 0, 0, 0, 0, 0, .. group6]);
        scene.Say(0, Wide6);
        Assert.Empty(scene.Heard());
    }

    [Fact]
    public void Who_has_no_address_yet_may_join()
    {
        using var scene = new GroupScene();
        scene.Control(1, "0.0.0.0", "224.0.0.22", [0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, .. Bytes(Address(Dns))]);
        scene.Control(1, "::", "ff02::16", [143, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, .. Bytes(Address(Dns6))]);
        scene.Say(0, Dns);
        scene.Say(0, Dns6);
        Assert.Equal(2, scene.Link(1).Sent.Count);
    }

    [Fact]
    public void Nobody_joins_for_another()
    {
        using var scene = new GroupScene();
        byte[] join = [0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, .. Bytes(Address(Dns))], join6 = [143, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, .. Bytes(Address(Dns6))];
        scene.Control(1, scene.V4(2), "224.0.0.22", join);
        scene.Control(1, scene.LinkLocal(2), "ff02::16", join6);
        scene.Control(1, "fe80::48ff:fe59:5001", "ff02::16", join6); // the gateway's
        byte[] frame = Frames.Ip(MacAddress.OfGroup(Address(Wide)), scene.MacOf(2), Packet(scene.V4(2), Wide, IpProtocol.Igmp, [0x16, 0, 0xf8, 0xfa, .. Bytes(Address(Wide))], 1));
        scene.Send(1, frame);
        Assert.Equal((4ul, 0, 0), (scene[1].Counters.Spoofed, scene[1].Groups!.Count, scene[2].Groups!.Count));
        // and nobody makes another leave
        scene.Join(2, Dns);
        scene.Leave(1, Dns);
        scene.Say(0, Dns);
        Assert.Equal([2], scene.Heard());
    }

    [Fact]
    public void Who_lies_about_who_it_is_is_not_heard()
    {
        using var scene = new GroupScene();
        scene.Join(1, Dns, Dns6);
        scene.Say(0, Dns, source: scene.V4(2));
        scene.Say(0, Dns, source: "10.75.0.1");
        scene.Say(0, Dns, source: "192.0.2.1");
        scene.Say(0, Dns, source: "0.0.0.0");
        scene.Say(0, Dns6, source: scene.LinkLocal(2));
        scene.Say(0, Dns6, source: "fd75::3");
        scene.Say(0, Dns6, source: "fe80::48ff:fe59:5001");
        scene.Say(0, Dns6, source: "::");
        Send(scene, scene.MacOf(2), MacAddress.OfGroup(Address(Dns)), scene.V4(0), Dns);
        Send(scene, scene[0].Configuration.GatewayMac, MacAddress.OfGroup(Address(Dns)), scene.V4(0), Dns);
        Assert.Empty(scene.Heard());
        Assert.Equal(10ul, scene[0].Counters.Spoofed);
    }

    [Fact]
    public void A_group_has_one_MAC()
    {
        using var scene = new GroupScene();
        scene.Join(1, Dns, Dns6, "239.0.0.251", "ff05::fb");
        foreach (string mac in new[] { "01:00:5e:00:00:fc", "01:00:5e:80:00:fb", "33:33:00:00:00:fb", "01:80:c2:00:00:00", "ff:ff:ff:ff:ff:ff" })
            Send(scene, scene.MacOf(0), Wire.Hex.Mac(mac), scene.V4(0), Dns);
        foreach (string mac in new[] { "33:33:00:00:00:fc", "33:33:01:00:00:fb", "01:00:5e:00:00:fb", "ff:ff:ff:ff:ff:ff" })
            Send(scene, scene.MacOf(0), Wire.Hex.Mac(mac), scene.LinkLocal(0), Dns6);
        Send(scene, scene.MacOf(0), MacAddress.OfGroup(Address(Dns)), scene.V4(0), "10.75.0.3"); // and nobody else has it
        Assert.Empty(scene.Heard());
        Assert.Equal(10ul, scene[0].Counters.Malformed);
        // To a member's own MAC it is for nobody.
        Send(scene, scene.MacOf(0), scene.MacOf(1), scene.V4(0), Dns);
        Send(scene, scene.MacOf(0), scene[0].Configuration.GatewayMac, scene.V4(0), Dns);
        Assert.Empty(scene.Heard());
    }

    [Fact]
    public void What_is_the_gateways_to_hear_goes_to_no_member_whatever_it_joined()
    {
        using var scene = new GroupScene();
        string[] groups = ["224.0.0.1", "224.0.0.2", "224.0.0.22", "ff02::1", "ff02::2", "ff02::16", "ff02::1:2", "ff05::1:3", "ff02::1:ff00:3", "ff01::fb", "ff00::fb"];
        scene.Join(1, groups);
        Assert.Equal((0, 0), (scene[1].Groups!.Count, scene.Loop.Timers.Count));
        foreach (string group in groups)
            scene.Say(0, group);
        Send(scene, scene.MacOf(0), MacAddress.Broadcast, scene.V4(0), "255.255.255.255");
        Send(scene, scene.MacOf(0), MacAddress.Broadcast, scene.V4(0), "10.75.255.255");
        Assert.DoesNotContain(1, scene.Heard());

        // Discovery, whatever group it is sent to; DHCP; who is in which group.
        scene.Join(1, Wide, Wide6);
        foreach (byte type in (byte[])[130, 131, 132, 133, 134, 135, 136, 137, 143])
            scene.Send(0, Frames.Ip(MacAddress.OfGroup(Address(Wide6)), scene.MacOf(0), Packet(scene.LinkLocal(0), Wide6, IpProtocol.Icmp6, Icmp(scene.LinkLocal(0), Wide6, type, 0, new byte[24]), 255)));
        foreach (byte type in (byte[])[130, 131, 132, 134, 143])
            scene.Send(0, Frames.Ip(MacAddress.OfGroup(Address(Wide6)), scene.MacOf(0), Fragment(scene.LinkLocal(0), Wide6, IpProtocol.Icmp6, Icmp(scene.LinkLocal(0), Wide6, type, 0, new byte[24]), 0, more: true)));
        scene.Send(0, Frames.Ip(MacAddress.OfGroup(Address(Wide)), scene.MacOf(0), Fragment(scene.V4(0), Wide, IpProtocol.Igmp, new byte[8], 0, more: true)));
        foreach (ushort port in (ushort[])[67, 68, 546, 547])
            scene.Say(0, port < 500 ? Wide : Wide6, port);
        scene.Control(0, scene.V4(0), Wide, [0x11, 0, 0, 0, 0, 0, 0, 0]);
        Assert.DoesNotContain(1, scene.Heard());
    }

    [Fact]
    public void A_query_of_a_guest_reaches_nobody_by_any_way()
    {
        using var scene = new GroupScene();
        byte[] query = new byte[IgmpMessage.QuerySize], query6 = new byte[MldMessage.QuerySize];
        IgmpMessage.WriteQuery(query, 1, 2, 1);
        MldMessage.WriteQuery(query6, Address(scene.LinkLocal(0)), Address(scene.LinkLocal(1)), 1, 2, 1);
        scene.Control(0, scene.V4(0), "224.0.0.1", [.. query]);
        scene.Control(0, scene.LinkLocal(0), "ff02::1", [.. query6]);
        scene.Send(0, Frames.Ip(scene.MacOf(1), scene.MacOf(0), Packet(scene.V4(0), scene.V4(1), IpProtocol.Igmp, query, 1))); // RFC 3376 4.1.12: hosts take it
        scene.Send(0, Frames.Ip(scene.MacOf(1), scene.MacOf(0), Packet(scene.LinkLocal(0), scene.LinkLocal(1), IpProtocol.Icmp6, query6, 1)));
        Assert.Empty(scene.Heard());
        Assert.Equal(4ul, scene[0].Counters.Spoofed);
    }

    [Fact]
    public void Who_does_not_answer_for_so_long_is_in_no_group_any_more()
    {
        using var scene = new GroupScene();
        scene.Join(1, Dns, Dns6);
        scene.Pass(GroupMember.Lifetime - 1);
        Assert.Equal([1], scene.Heard()); // it was asked
        scene.Say(0, Dns);
        scene.Say(0, Dns6);
        Assert.Equal([1], scene.Heard());
        scene.Pass(1);
        scene.Say(0, Dns);
        scene.Say(0, Dns6);
        Assert.Empty(scene.Heard());
        // In time nothing is left of it.
        scene.Pass(GroupMember.QueryInterval + MonotonicClock.Second);
        Assert.Equal((0, 0, 0), (scene[1].Groups!.Count, scene.Network.Groups.Count, scene.Loop.Timers.Count));
        Assert.Empty(scene.Heard());
    }

    [Fact]
    public void Who_is_in_a_group_is_asked_for_it_and_stays_while_it_answers()
    {
        using var scene = new GroupScene();
        scene.Join(1, Dns);
        for (int i = 0; i < 10; i++)
        {
            scene.Pass(GroupMember.QueryInterval + MonotonicClock.Second);
            byte[] frame = Assert.Single(scene.Link(1).Sent); // by IPv4 alone: it is in no group of IPv6
            Assert.Equal([1], scene.Heard());
            Assert.Equal((MacAddress.OfGroup(Address("224.0.0.1")), scene[1].Configuration.GatewayMac), (MacAddress.Read(frame), MacAddress.Read(frame.AsSpan(6))));
            Assert.Equal(WireFault.None, Ipv4Packet.TryParse(frame.AsSpan(14), out Ipv4Packet packet));
            Assert.Equal((Address("10.75.0.1"), Address("224.0.0.1"), (byte)1, 24), (packet.Source, packet.Destination, packet.TimeToLive, packet.HeaderLength));
            Assert.Equal(WireFault.None, IgmpMessage.TryParse(packet.Payload, out IgmpMessage query));
            Assert.Equal((IgmpType.Query, true, (byte)100, (byte)125), (query.Type, query.IsV3Query, query.MaximumResponse, query.Interval));
            scene.Report(1, GroupRecordType.IsExclude, Dns);
        }
        scene.Say(0, Dns);
        Assert.Equal([1], scene.Heard());
        scene.Join(1, Dns6);
        scene.Leave(1, Dns);
        scene.Pass(GroupMember.QueryInterval + MonotonicClock.Second);
        byte[] frame6 = Assert.Single(scene.Link(1).Sent);
        Assert.Equal(MacAddress.OfGroup(Address("ff02::1")), MacAddress.Read(frame6));
        Assert.Equal(WireFault.None, Ipv6Packet.TryParse(frame6.AsSpan(14), out Ipv6Packet packet6, out _));
        Assert.Equal((IpAddress.LinkLocalOf(scene[1].Configuration.GatewayMac), (byte)1), (packet6.Source, packet6.HopLimit));
        Assert.Equal(WireFault.None, IcmpMessage.TryParse(packet6.Payload, packet6.Source, packet6.Destination, out IcmpMessage icmp));
        Assert.Equal(WireFault.None, MldMessage.TryParse(icmp, packet6.HopLimit, out MldMessage query6));
        Assert.Equal((true, (ushort)10_000, (byte)125), (query6.IsV2Query, query6.MaximumResponse, query6.Interval));
    }

    [Fact]
    public void A_network_whose_members_are_in_no_group_sets_no_timer()
    {
        using var scene = new GroupScene();
        scene.Join(0, "ff02::1:ff00:2", "ff02::1:ff4b:2"); // as each host is
        scene.Say(0, Dns);
        Assert.Equal(0, scene.Loop.Timers.Count);
        scene.Join(0, Dns);
        Assert.Equal(1, scene.Loop.Timers.Count);
        scene.Leave(0, Dns);
        Assert.Equal(0, scene.Loop.Timers.Count);
    }

    [Fact]
    public void A_guest_is_asked_at_once_when_a_new_hyphanet_finds_it()
    {
        using var scene = new GroupScene();
        scene[1].Announce();
        byte[][] asked = [.. scene.Link(1).Sent.Where(frame => MacAddress.Read(frame) == MacAddress.OfGroup(Address("224.0.0.1")) || frame[12] == 0x86 && frame[20] == 0)];
        Assert.Equal(2, asked.Length);
    }

    [Fact]
    public void Groups_stop_at_the_limit_and_those_that_are_kept_go_on()
    {
        using var scene = new GroupScene();
        string[] groups = [.. Enumerable.Range(0, 300).Select(i => $"239.7.{i / 100}.{i % 100}")];
        scene.Join(1, groups[..150]);
        scene.Join(1, groups[150..]);
        Assert.Equal((GroupMember.Limit, 300ul - GroupMember.Limit, GroupMember.Limit), (scene[1].Groups!.Count, scene[1].Counters.GroupsOverLimit, scene.Network.Groups.Count));
        scene.Say(0, groups[0]);
        Assert.Equal([1], scene.Heard());
        scene.Say(0, groups[^1]);
        Assert.Empty(scene.Heard());
        // another's are not touched by it
        scene.Join(2, groups[^1]);
        scene.Say(0, groups[^1]);
        Assert.Equal([2], scene.Heard());
        // and there is room again
        scene.Leave(1, groups[5]);
        scene.Join(1, groups[^1]);
        scene.Say(0, groups[^1]);
        Assert.Equal([1, 2], scene.Heard());
        scene.Pass(GroupMember.Lifetime);
        scene.Join(1, groups[200..264]);
        Assert.Equal((GroupMember.Limit, 300ul - GroupMember.Limit), (scene[1].Groups!.Count, scene[1].Counters.GroupsOverLimit));
    }

    [Fact]
    public void Who_leaves_the_network_is_in_no_group_of_it()
    {
        using var scene = new GroupScene();
        scene.Join(1, Dns, Dns6);
        scene.Network.Remove(scene[1]);
        scene.Say(0, Dns);
        scene.Join(1, Dns);
        scene.Say(0, Dns);
        Assert.Empty(scene.Heard());
        Assert.Equal((0, 0), (scene.Network.Groups.Count, scene.Loop.Timers.Count));
    }

    [Fact]
    public void Copies_of_one_sender_stop_at_a_limit_and_the_next_is_served()
    {
        using var scene = new GroupScene(count: 101);
        for (int i = 1; i <= 100; i++)
        {
            scene.Link(i).Forgets = true;
            scene.Join(i, Dns);
        }
        for (int i = 0; i < 10_000; i++)
            scene.Say(0, Dns);
        int copies = Enumerable.Range(1, 100).Sum(i => scene.Link(i).Count);
        Assert.InRange(copies, 100, 4_000);
        Assert.Equal(10_000 - (ulong)(copies / 100), scene[0].Counters.GroupFramesOverLimit);
        Assert.True(Enumerable.Range(1, 100).All(i => scene.Link(i).Count == copies / 100)); // a frame is for all of them, or for nobody
        scene.Say(1, Dns);
        Assert.Equal(1 + copies / 100, scene.Link(2).Count);
        scene.Pass(MonotonicClock.Second);
        scene.Say(0, Dns);
        Assert.Equal(2 + copies / 100, scene.Link(2).Count);
    }

    [Fact]
    public void Reports_of_many_groups_stop_at_a_limit_that_a_hosts_own_never_reach()
    {
        using var scene = new GroupScene();
        string[] groups = [.. Enumerable.Range(0, 180).Select(i => $"239.7.0.{i}")];
        for (int i = 0; i < 1_000; i++)
            scene.Join(1, groups);
        Assert.InRange(scene[1].Counters.GroupsOverLimit, 1_000ul, 4_000ul + 180);
        Assert.InRange(scene[1].Counters.GroupFramesOverLimit, 900ul, 1_000ul);
        scene.Pass(MonotonicClock.Second);
        scene.Leave(1, groups);
        Assert.Equal(0, scene[1].Groups!.Count);
        for (int i = 0; i < 10; i++)
            scene.Join(2, [.. groups[..GroupMember.Limit], Dns6]); // a host that answers, ten times at once
        Assert.Equal(0ul, scene[2].Counters.GroupFramesOverLimit);
    }

    [Fact]
    public void A_member_is_sent_no_more_than_its_limit_and_a_full_link_costs_nobody_else()
    {
        using var scene = new GroupScene(3, "", "limit in 64kbit");
        scene.Join(1, Dns);
        scene.Join(2, Dns);
        for (int i = 0; i < 100; i++)
            scene.Say(0, Dns, size: 1_000);
        Assert.InRange(scene.Link(1).Count, 15, 17); // 16 KiB
        Assert.Equal(100, scene.Link(2).Count);
        Assert.Equal(100ul - (ulong)scene.Link(1).Count, scene[1].Counters.LimitedIn);
        scene.Link(2).IsFull = true;
        scene.Say(0, Dns);
        Assert.Equal(1ul, scene[2].Statistics().Output.Full);
    }

    [Fact]
    public void Rules_about_a_member_and_about_a_group_both_hold()
    {
        using var scene = new GroupScene(5, "deny to 10.75.0.3\ndeny udp to 239.0.0.0/8 port 53", "", "deny in udp from 10.75.0.2 port 5353", "default in deny", "");
        for (int i = 1; i <= 4; i++)
            scene.Join(i, Dns, Wide);
        scene.Say(0, Dns);
        Assert.Equal([4], scene.Heard()); // the first is denied by the sender's rules, the second and third by their own
        Assert.Equal((1ul, 1ul, 1ul), (scene[0].Counters.Denied, scene[2].Counters.DeniedIn, scene[3].Counters.DeniedIn));
        scene.Say(0, Wide, port: 53);
        Assert.Empty(scene.Heard());
        scene.Say(0, Wide, port: 54);
        Assert.Equal([2, 4], scene.Heard());
        scene.Say(1, Wide, port: 53);
        Assert.Equal([0, 2, 4], [0, .. scene.Heard()]);
    }

    [Theory]
    [InlineData("10.75.0.0/16", true)]
    [InlineData("10.75.0.3", true)]
    [InlineData("224.0.0.251", false)] // who is in it is out of reach
    public void Where_all_else_is_denied_members_that_are_allowed_hear(string to, bool heard)
    {
        using var scene = new GroupScene(3, $"allow udp to {to} port 5353\ndefault deny");
        scene.Join(1, Dns);
        scene.Say(0, Dns);
        Assert.Equal(heard ? [1] : [], scene.Heard());
    }

    [Fact]
    public void TCP_and_headers_that_hide_others_reach_no_group()
    {
        using var scene = new GroupScene();
        scene.Join(1, Wide, Wide6);
        foreach (TcpFlags flags in (TcpFlags[])[TcpFlags.Syn, TcpFlags.Ack])
            scene.Send(0, Frames.Ip(MacAddress.OfGroup(Address(Wide)), scene.MacOf(0), Packet(scene.V4(0), Wide, IpProtocol.Tcp, Segment(scene.V4(0), Wide, 1, 2, 3, 0, flags))));
        foreach (IpProtocol hiding in (IpProtocol[])[IpProtocol.DestinationOptions, IpProtocol.Routing, IpProtocol.HopByHop, IpProtocol.Fragment])
            scene.Send(0, Frames.Ip(MacAddress.OfGroup(Address(Wide6)), scene.MacOf(0), Fragment(scene.LinkLocal(0), Wide6, hiding, new byte[16], 0, more: true)));
        Assert.Empty(scene.Heard());
        // Fragments of a datagram go as they are.
        byte[] datagram = Udp(scene.V4(0), Wide, 5_000, 5_000, new byte[16]);
        scene.Send(0, Frames.Ip(MacAddress.OfGroup(Address(Wide)), scene.MacOf(0), Fragment(scene.V4(0), Wide, IpProtocol.Udp, datagram[..16], 0, more: true)));
        scene.Send(0, Frames.Ip(MacAddress.OfGroup(Address(Wide)), scene.MacOf(0), Fragment(scene.V4(0), Wide, IpProtocol.Udp, datagram[16..], 16, more: false)));
        Assert.Equal(2, scene.Link(1).Sent.Count);
    }

    [Fact]
    public void A_flood_to_a_group_and_joins_without_end_allocate_nothing()
    {
        using var scene = new GroupScene();
        for (int i = 0; i < 3; i++)
            scene.Link(i).Forgets = true;
        byte[][] frames = [scene.Say(0, Dns), scene.Say(0, Dns6), scene.Say(0, Wide), .. Reports(Wide, 4), .. Reports(Wide, 3), .. Reports(Wide6, 4), .. Reports(Wide6, 3)];
        scene.Join(1, Dns, Dns6);
        scene.Join(2, Dns);
        for (int i = 0; i < 200 * frames.Length; i++)
            scene[0].Receive(default, frames[i % frames.Length], scene.Now + i);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20_000; i++)
            scene[0].Receive(default, frames[i % frames.Length], scene.Now + i * MonotonicClock.Millisecond);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.InRange(scene.Link(1).Count, 5_000, 6_500);

        byte[][] Reports(string group, byte type)
        {
            bool v4 = Address(group).IsV4;
            string from = v4 ? scene.V4(0) : scene.LinkLocal(0), to = v4 ? "224.0.0.22" : "ff02::16";
            byte[] body = [type, 0, 0, 0, .. Bytes(Address(group))];
            byte[] message = Icmp(from, to, v4 ? (byte)0x22 : (byte)143, 1, body); // the sum of an IGMP message is as ICMP's
            return [Frames.Ip(MacAddress.OfGroup(Address(to)), scene.MacOf(0), Packet(from, to, v4 ? IpProtocol.Igmp : IpProtocol.Icmp6, message, 1))];
        }
    }

    private static void Send(GroupScene scene, MacAddress from, MacAddress to, string source, string destination) =>
        scene.Send(0, Frames.Ip(to, from, Packet(source, destination, IpProtocol.Udp, Udp(source, destination, 5_353, 5_353, 1))));
}
