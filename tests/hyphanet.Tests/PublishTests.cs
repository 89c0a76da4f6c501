namespace Hypha.NetworkDaemon.Tests;

[Collection<PlainNetwork>]
public sealed class PublishTests(PlainNetwork network)
{
    [Fact]
    public async Task The_world_and_the_host_reach_a_published_port_and_the_guest_sees_who_they_are()
    {
        await network.Serve("guest", "exec socat TCP6-LISTEN:80,fork,reuseaddr,ipv6only=0 SYSTEM:'echo $SOCAT_PEERADDR'", 80);
        Assert.Equal("[0000:0000:0000:0000:0000:ffff:c000:0202]\n", (await network.Run("world", "socat -t 10 TCP:192.0.2.1:8080 -")).Succeeded().Output);
        Assert.Equal("[2001:0db8:0000:0000:0000:0000:0000:0002]\n", (await network.Run("world", "socat -t 10 TCP:[2001:db8::1]:8080 -")).Succeeded().Output);
        Assert.Equal("[0000:0000:0000:0000:0000:ffff:0a4b:0001]\n", (await network.Run("host", "socat -t 10 TCP:127.0.0.1:8080 -")).Succeeded().Output);
        Assert.Equal("[fd75:0000:0000:0000:0000:0000:0000:0001]\n", (await network.Run("host", "socat -t 10 TCP:[::1]:8080 -")).Succeeded().Output);
    }

    [Fact]
    public async Task A_range_leads_port_by_port()
    {
        await network.Serve("guest", "exec socat TCP-LISTEN:7001,fork,reuseaddr SYSTEM:'echo seven thousand and one'", 7001);
        Assert.Equal("seven thousand and one\n", (await network.Run("world", "socat -t 10 TCP:192.0.2.1:9001 -")).Succeeded().Output);
    }

    [Fact]
    public async Task A_port_that_the_guest_has_shut_resets() =>
        Assert.Contains("reset by peer", (await network.Run("world", "exec 3<>/dev/tcp/192.0.2.1/9002; cat <&3")).Errors);

    [Fact]
    public async Task Datagrams_reach_a_published_port_and_answers_come_back()
    {
        await network.Serve("guest", $"exec {GuestNetwork.Who} 53", 53, udp: true);
        Assert.StartsWith("192.0.2.2 ", (await network.Run("world", "echo x | socat -t 2 - UDP:192.0.2.1:5300")).Succeeded().Output);
        Assert.StartsWith("10.75.0.1 ", (await network.Run("host", "echo x | socat -t 2 - UDP:127.0.0.1:5300")).Succeeded().Output);
    }
}
