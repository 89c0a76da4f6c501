using CsCheck;
using Hypha.Net.Policy;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Policy;

public sealed class NetworkPolicyTests
{
    [Fact]
    public void The_first_rule_that_matches_decides_then_the_default()
    {
        NetworkPolicy policy = NetworkPolicy.Parse("""
            # databases of the second rack, and names
            allow tcp to 10.2.0.0/16 port 5432,6000-6010
            deny to 10.0.0.0/8          # all else of ours
            allow udp port 53
            allow icmp to 2001:db8::/32
            default deny
            """);
        Assert.True(Allows(policy, IpProtocol.Tcp, "10.2.3.4", 5432));
        Assert.True(Allows(policy, IpProtocol.Tcp, "10.2.3.4", 6010));
        Assert.False(Allows(policy, IpProtocol.Tcp, "10.2.3.4", 6011));
        Assert.False(Allows(policy, IpProtocol.Udp, "10.2.3.4", 53));
        Assert.True(Allows(policy, IpProtocol.Udp, "192.0.2.1", 53));
        Assert.False(Allows(policy, IpProtocol.Tcp, "192.0.2.1", 53));
        Assert.True(Allows(policy, IpProtocol.Icmp6, "2001:db8::1", 0));
        Assert.False(Allows(policy, IpProtocol.Icmp, "192.0.2.1", 0));
    }

    [Fact]
    public void What_is_out_of_reach_is_allowed_by_name_alone()
    {
        Assert.False(Allows(NetworkPolicy.None, IpProtocol.Tcp, "169.254.169.254", 80));
        Assert.False(Allows(NetworkPolicy.Parse("allow tcp"), IpProtocol.Tcp, "169.254.169.254", 80));
        Assert.False(Allows(NetworkPolicy.Parse("default allow"), IpProtocol.Tcp, "127.0.0.1", 80));
        Assert.True(Allows(NetworkPolicy.Parse("allow tcp to 169.254.169.254 port 80"), IpProtocol.Tcp, "169.254.169.254", 80));
        Assert.True(Allows(NetworkPolicy.None, IpProtocol.Tcp, "192.168.1.1", 80));
    }

    [Fact]
    public void What_comes_in_has_rules_of_its_own()
    {
        NetworkPolicy policy = NetworkPolicy.Parse("""
            allow in tcp from 192.0.2.0/24 port 80
            deny in udp
            deny in from 2001:db8::66
            default deny
            """);
        Assert.True(AllowsIn(policy, IpProtocol.Tcp, "192.0.2.7", 80));
        Assert.False(AllowsIn(policy, IpProtocol.Udp, "192.0.2.7", 80));
        Assert.False(AllowsIn(policy, IpProtocol.Icmp6, "2001:db8::66", 0));
        Assert.True(AllowsIn(policy, IpProtocol.Tcp, "198.51.100.1", 81)); // by default, whatever the default for what goes out
        Assert.True(AllowsIn(policy, IpProtocol.Tcp, "127.0.0.1", 81));    // what is out of reach may call
        Assert.False(AllowsIn(NetworkPolicy.Parse("allow in tcp port 80\ndefault in deny"), IpProtocol.Tcp, "198.51.100.1", 81));
        Assert.True(Allows(NetworkPolicy.Parse("default in deny"), IpProtocol.Tcp, "198.51.100.1", 81));
    }

    [Fact]
    public void Limits_are_lines_of_their_own()
    {
        Assert.Equal(new PolicyLimits { Out = 12_500_000, In = 8_000, Packets = 20_000, Flows = 1_000, New = 200 },
            NetworkPolicy.Parse("limit out 100mbit\nlimit in 64kbit\nlimit packets 20000\nlimit flows 1000\nlimit new 200").Limits);
        Assert.Equal(PolicyLimits.None, NetworkPolicy.Parse("default deny").Limits);
    }

    [Theory]
    [InlineData("permit tcp", "line 1: \"permit\"")]
    [InlineData("\nallow to", "line 2: after \"to\"")]
    [InlineData("allow to example.com", "\"example.com\" is none")]
    [InlineData("allow to name", "after \"name\"")]
    [InlineData("allow to name *", "\"*\" is none")]
    [InlineData("allow to name a..b", "\"a..b\" is none")]
    [InlineData("allow to name a.*.b", "\"a.*.b\" is none")]
    [InlineData("allow to name ä.test", "\"ä.test\" is none")]
    [InlineData("allow in to 10.0.0.1", "\"to\" belongs nowhere: allow|deny in")]
    [InlineData("allow from 10.0.0.1", "\"from\" belongs nowhere: allow|deny [tcp")]
    [InlineData("deny in from name example.com", "\"name\" is none")]
    [InlineData("default in", "\"default\"")]
    [InlineData("default in deny\ndefault allow\ndefault in deny", "line 3: a second default")]
    [InlineData("limit", "limits are: out or in")]
    [InlineData("limit up 3", "limits are: out or in")]
    [InlineData("limit out 3", "\"3\" is no rate")]
    [InlineData("limit out 10kbit", "\"10kbit\" is no rate")]
    [InlineData("limit out 10mbps", "\"10mbps\" is no rate")]
    [InlineData("limit in 9999999999gbit", "is no rate")]
    [InlineData("limit flows 0", "\"0\" is no number")]
    [InlineData("limit new 1\nlimit new 2", "line 2: a second limit of new")]
    [InlineData("dns", "after \"dns\" comes \"listed\"")]
    [InlineData("allow to 10.0.0.0/33", "\"10.0.0.0/33\" is none")]
    [InlineData("allow port 80", "ports are of tcp or udp")]
    [InlineData("allow icmp port 80", "ports are of tcp or udp")]
    [InlineData("allow tcp port 0", "\"0\" is none")]
    [InlineData("allow tcp port 9-8", "\"9-8\" is none")]
    [InlineData("allow tcp port", "after \"port\"")]
    [InlineData("allow tcp port 80 to 10.0.0.1", "\"to\" belongs nowhere")]
    [InlineData("default allow\ndefault deny", "line 2: a second default")]
    public void What_is_no_rule_is_named_with_its_line(string text, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => NetworkPolicy.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void No_text_does_anything_but_parse_or_say_why() =>
        Gen.Int[0, s_words.Length - 1].Array[0, 12].Sample(indices =>
        {
            try
            {
                NetworkPolicy.Parse(string.Join(' ', indices.Select(index => s_words[index]))).Allows(IpProtocol.Tcp, IpAddress.OfV4(0x0A000001), 80);
            }
            catch (FormatException)
            {
                // said why
            }
        });

    private static readonly string[] s_words = ["allow", "deny", "default", "dns", "listed", "tcp", "udp", "icmp", "to", "in", "limit", "flows", "1mbit", "from", "name", "*.a", "a.b", "port", "10.0.0.0/8", "::/0", "1-2,", "80", "\n", "#", "-", "/"];

    private static bool AllowsIn(NetworkPolicy policy, IpProtocol protocol, string address, ushort port) =>
        IpAddress.TryParse(address, out IpAddress source) ? policy.AllowsIn(protocol, source, port) : throw new FormatException(address);

    private static bool Allows(NetworkPolicy policy, IpProtocol protocol, string address, ushort port) =>
        IpAddress.TryParse(address, out IpAddress destination) ? policy.Allows(protocol, destination, port) : throw new FormatException(address);
}
