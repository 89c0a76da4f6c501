using CsCheck;
using Hypha.Net.Capture;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Capture;

public sealed class CaptureFilterTests
{
    private static readonly Dictionary<string, byte[]> s_frames = new()
    {
        ["arp"] = Frames.Arp(),
        ["tcp4"] = Frames.V4(IpProtocol.Tcp, "10.75.0.2", "192.0.2.2", 4_000, 80),
        ["tcp4 with options"] = Frames.V4(IpProtocol.Tcp, "192.0.2.2", "10.75.0.2", 80, 4_000, options: 8),
        ["udp4"] = Frames.V4(IpProtocol.Udp, "10.75.0.2", "10.75.0.1", 4_001, 53),
        ["udp4 fragment"] = Frames.V4(IpProtocol.Udp, "10.75.0.2", "10.75.0.1", 80, 53, fragmentOffset: 1_480),
        ["icmp4"] = Frames.V4(IpProtocol.Icmp, "10.75.0.2", "192.0.2.2", 0x0800, 80),
        ["tcp6"] = Frames.V6(IpProtocol.Tcp, "fd75::2", "2001:db8::2", 4_002, 80),
        ["udp6 behind extensions"] = Frames.V6(IpProtocol.Udp, "fd75::2", "2001:db8::2", 4_003, 53,
            (IpProtocol.HopByHop, new byte[8]), (IpProtocol.Fragment, Frames.FromHex("0000 0001 00000007"))),
        ["udp6 fragment"] = Frames.V6(IpProtocol.Udp, "fd75::2", "2001:db8::2", 80, 53, (IpProtocol.Fragment, Frames.FromHex("0000 05a8 00000007"))),
        ["icmp6"] = Frames.V6(IpProtocol.Icmp6, "fd75::2", "fd75::1", 0x8000, 80),
    };

    [Theory]
    [InlineData("", "arp,tcp4,tcp4 with options,udp4,udp4 fragment,icmp4,tcp6,udp6 behind extensions,udp6 fragment,icmp6")]
    [InlineData("tcp", "tcp4,tcp4 with options,tcp6")]
    [InlineData("udp", "udp4,udp4 fragment,udp6 behind extensions,udp6 fragment")]
    [InlineData("icmp", "icmp4,icmp6")]
    [InlineData("arp", "arp")]
    [InlineData("ip", "tcp4,tcp4 with options,udp4,udp4 fragment,icmp4")]
    [InlineData("ip6", "tcp6,udp6 behind extensions,udp6 fragment,icmp6")]
    [InlineData("port 80", "tcp4,tcp4 with options,tcp6")]
    [InlineData("port 53", "udp4,udp6 behind extensions")]
    [InlineData("host 192.0.2.2", "tcp4,tcp4 with options,icmp4")]
    [InlineData("host 10.75.0.1", "arp,udp4,udp4 fragment")]
    [InlineData("host 2001:db8::2 and udp", "udp6 behind extensions,udp6 fragment")]
    [InlineData("ip and tcp and port 80 and host 192.0.2.2", "tcp4,tcp4 with options")]
    [InlineData("  tcp   port 80 and ip6 ", "tcp6")]
    [InlineData("udp host 10.75.0.1", "udp4,udp4 fragment")]
    [InlineData("tcp and udp", "")]
    public void A_filter_takes_what_it_says(string filter, string taken)
    {
        CaptureFilter parsed = CaptureFilter.Parse(filter);
        Assert.Equal(taken, string.Join(',', s_frames.Where(frame => parsed.Matches(frame.Value)).Select(frame => frame.Key)));
    }

    [Theory]
    [InlineData("tpc", "\"tpc\" is none of tcp, udp, icmp, arp, ip, ip6, host ADDRESS, port N")]
    [InlineData("tcp or udp", "\"or\" stands where \"and\" is due")]
    [InlineData("port 80 host 192.0.2.2", "\"host\" stands where \"and\" is due")]
    [InlineData("tcp udp", "\"udp\" stands where \"and\" is due")]
    [InlineData("tcp and", "ends with \"and\"")]
    [InlineData("and tcp", "\"and\" is none of")]
    [InlineData("host web", "after \"host\" comes an address: 192.0.2.1, 2001:db8::1; \"web\" is none")]
    [InlineData("host", "\"\" is none")]
    [InlineData("port 65536", "after \"port\" comes a number up to 65535; \"65536\" is none")]
    [InlineData("port http", "\"http\" is none")]
    public void What_is_no_filter_is_explained(string filter, string why) =>
        Assert.Contains(why, Assert.Throws<FormatException>(() => CaptureFilter.Parse(filter)).Message);

    [Fact]
    public void No_bytes_throw()
    {
        CaptureFilter[] filters = [.. new[] { "tcp", "port 80", "host 192.0.2.2", "host 2001:db8::2 and port 53" }.Select(CaptureFilter.Parse)];
        Gen.Select(Gen.Int[0, 2], Gen.Byte.Array[0, 150]).Sample((which, bytes) =>
        {
            byte[] frame = [.. s_frames[new[] { "arp", "tcp4", "tcp6" }[which]][..14], .. bytes];
            foreach (CaptureFilter filter in filters)
            {
                filter.Matches(bytes);
                filter.Matches(frame);
            }
        }, iter: 20_000);
    }
}
