using CsCheck;
using Hypha.Net.Wire;
using System.Net;

namespace Hypha.Net.Tests.Wire;

public sealed class AddressTests
{
    [Theory]
    [InlineData("10.75.0.2")]
    [InlineData("255.255.255.255")]
    [InlineData("fd75::2")]
    [InlineData("::1")]
    [InlineData("2001:db8::ff00:42:8329")]
    public void Is_read_and_shown_alike(string text)
    {
        Assert.True(IpAddress.TryParse(text, out IpAddress address));
        Assert.Equal(text, address.ToString());
        byte[] bytes = new byte[16];
        address.Write(bytes);
        Assert.Equal(IPAddress.Parse(text).GetAddressBytes(), bytes[..address.Size]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("10.1")]
    [InlineData("0x0a.0.0.1")]
    [InlineData("010.0.0.1")]
    [InlineData("10.0.0.256")]
    [InlineData("fe80::1%eth0")]
    [InlineData("[::1]")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("10.0.0.1 ")]
    public void Is_not_read(string text) => Assert.False(IpAddress.TryParse(text, out _));

    [Theory]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("::1", "loopback")]
    [InlineData("169.254.169.254", "link-local")]
    [InlineData("fe80::1", "link-local")]
    [InlineData("febf::1", "link-local")]
    [InlineData("fec0::1", "")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("239.255.255.250", "multicast")]
    [InlineData("ff02::1", "multicast")]
    [InlineData("240.0.0.1", "")]
    [InlineData("255.255.255.255", "broadcast")]
    [InlineData("0.0.0.0", "unspecified")]
    [InlineData("::", "unspecified")]
    [InlineData("10.0.0.1", "")]
    [InlineData("2001:db8::1", "")]
    public void Belongs_to_its_class(string text, string expected)
    {
        Assert.True(IpAddress.TryParse(text, out IpAddress a));
        string[] classes = [a.IsLoopback ? "loopback" : "", a.IsLinkLocal ? "link-local" : "", a.IsMulticast ? "multicast" : "",
            a.IsBroadcast ? "broadcast" : "", a.IsUnspecified ? "unspecified" : ""];
        Assert.Equal(expected, string.Concat(classes));
    }

    [Theory]
    [InlineData("10.75.0.2/24", "10.75.0.255", true)]
    [InlineData("10.75.0.2/24", "10.75.1.0", false)]
    [InlineData("0.0.0.0/0", "8.8.8.8", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    [InlineData("::/0", "10.0.0.1", false)]
    [InlineData("10.0.0.1/32", "10.0.0.1", true)]
    [InlineData("10.0.0.1/32", "10.0.0.0", false)]
    [InlineData("fd75::2/64", "fd75::ffff:ffff:ffff:ffff", true)]
    [InlineData("fd75::2/64", "fd75:0:0:1::", false)]
    [InlineData("fd00::/8", "fdff::1", true)]
    public void A_subnet_contains_what_has_its_prefix(string subnet, string address, bool expected)
    {
        Assert.True(Subnet.TryParse(subnet, out Subnet net));
        Assert.True(IpAddress.TryParse(address, out IpAddress a));
        Assert.Equal(expected, net.Contains(a));
    }

    [Fact]
    public void A_subnet_has_a_first_and_a_last_address()
    {
        Assert.True(Subnet.TryParse("10.75.3.2/22", out Subnet net));
        Assert.Equal("10.75.0.0", net.Network.ToString());
        Assert.Equal("10.75.3.255", net.Last.ToString());
        Assert.True(Subnet.TryParse("fd75::2/64", out net));
        Assert.Equal("fd75::", net.Network.ToString());
        Assert.Equal("fd75::ffff:ffff:ffff:ffff", net.Last.ToString());
    }

    [Theory]
    [InlineData("10.0.0.0")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/+1")]
    [InlineData("fd75::/129")]
    [InlineData("/8")]
    public void A_subnet_is_not_read(string text) => Assert.False(Subnet.TryParse(text, out _));

    [Fact]
    public void A_MAC_is_read_and_shown_alike() => Gen.ULong[0, 0xFFFF_FFFF_FFFF].Sample(value =>
    {
        var mac = new MacAddress(value);
        Assert.True(MacAddress.TryParse(mac.ToString(), out MacAddress read));
        Assert.Equal(mac, read);
        byte[] bytes = new byte[6];
        mac.Write(bytes);
        Assert.Equal(mac, MacAddress.Read(bytes));
        Assert.Equal(BitConverter.ToString(bytes).Replace('-', ':').ToLowerInvariant(), mac.ToString());
    });

    [Theory]
    [InlineData("")]
    [InlineData("00:16:3e:00:00")]
    [InlineData("00:16:3e:00:00:0")]
    [InlineData("00:16:3e:00:00:0g")]
    [InlineData("00-16-3e-00-00-01")]
    [InlineData("00:16:3e:00:00:01:02")]
    public void A_MAC_is_not_read(string text) => Assert.False(MacAddress.TryParse(text, out _));

    [Fact]
    public void Groups_have_their_MACs_and_MACs_their_link_local_address()
    {
        Assert.Equal("33:33:ff:28:9c:5a", MacAddress.OfGroup(Parse("ff02::1:ff28:9c5a")).ToString());
        Assert.Equal("01:00:5e:7f:ff:fa", MacAddress.OfGroup(Parse("239.255.255.250")).ToString());
        Assert.Equal("ff02::1:ff28:9c5a", Parse("fe80::2aa:ff:fe28:9c5a").SolicitedNode.ToString()); // RFC 4291 appendix A's interface
        Assert.True(MacAddress.TryParse("00:aa:00:28:9c:5a", out MacAddress mac));
        Assert.Equal("fe80::2aa:ff:fe28:9c5a", IpAddress.LinkLocalOf(mac).ToString());
    }

    private static IpAddress Parse(string text) => IpAddress.TryParse(text, out IpAddress address) ? address : throw new FormatException(text);
}
