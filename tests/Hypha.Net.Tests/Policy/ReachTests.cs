using Hypha.Net.Policy;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Policy;

public sealed class ReachTests
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("169.254.169.254")]
    [InlineData("224.0.0.251")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::7f00:1")]
    [InlineData("fe80::1")]
    [InlineData("ff02::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("2002:a9fe:a9fe::")]
    public void The_hosts_own_is_out_of_reach(string address)
    {
        Assert.True(IpAddress.TryParse(address, out IpAddress destination));
        Assert.False(Reach.Allows(destination));
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("8.8.8.8")]
    [InlineData("169.253.1.1")]
    [InlineData("2001:db8::1")]
    [InlineData("fd75::9")]
    [InlineData("64:ff9b::808:808")]
    [InlineData("2002:808:808::1")]
    public void The_world_is_not(string address)
    {
        Assert.True(IpAddress.TryParse(address, out IpAddress destination));
        Assert.True(Reach.Allows(destination));
    }
}
