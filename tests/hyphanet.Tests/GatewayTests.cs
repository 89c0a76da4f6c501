namespace Hypha.NetworkDaemon.Tests;

[Collection<PlainNetwork>]
public sealed class GatewayTests(PlainNetwork network)
{
    [Theory]
    [InlineData("10.75.0.1")]
    [InlineData("fd75::1")]
    [InlineData("192.0.2.2")]
    [InlineData("2001:db8::2")]
    [InlineData("-s 1400 10.75.0.1")]
    [InlineData("-s 1400 2001:db8::2")]
    public async Task Ping_is_answered_by_the_gateway_and_by_the_world(string target)
    {
        Outcome ping = (await network.Run("guest", $"ping -c 3 -i 0.05 -W 5 {target}")).Succeeded();
        Assert.Contains("3 received", ping.Output);
    }

    [Fact]
    public async Task Nobody_but_the_gateway_answers_for_addresses_of_the_network()
    {
        Outcome ping = await network.Run("guest", "ping -c 1 -W 1 10.75.0.77; ping -c 1 -W 1 fd75::77; ip neigh show");
        Assert.DoesNotContain(" 1 received", ping.Output);
        Assert.Matches("10\\.75\\.0\\.77 dev eth0 +(FAILED|INCOMPLETE)", ping.Output);
    }

    [Fact]
    public async Task The_guest_finds_that_the_gateways_address_is_taken()
    {
        Outcome address = await network.Run("guest", """
            ip -6 addr add fd75::1/64 dev eth0
            for i in $(seq 40); do ip -6 addr show dev eth0 | grep -q dadfailed && break; sleep 0.1; done
            ip -6 addr show dev eth0; ip -6 addr del fd75::1/64 dev eth0
            """);
        Assert.Contains("dadfailed", address.Output);
    }

    [Fact]
    public async Task A_source_that_is_not_the_guests_goes_nowhere()
    {
        Outcome spoofed = await network.Run("guest", """
            ip addr add 10.75.0.9/24 dev eth0; ip -6 addr add fd75::9/64 dev eth0 nodad
            ping -c 2 -i 0.05 -W 1 -I 10.75.0.9 192.0.2.2; ping -c 2 -i 0.05 -W 1 -I fd75::9 2001:db8::2
            curl -s --max-time 1 --interface 10.75.0.9 http://192.0.2.2/; echo curl $?
            ip addr del 10.75.0.9/24 dev eth0; ip -6 addr del fd75::9/64 dev eth0
            """);
        Assert.Equal(2, spoofed.Output.Split(" 0 received").Length - 1);
        Assert.Contains("curl 28", spoofed.Output);
    }

    [Theory]
    [InlineData("traceroute -n -q 1 -w 2 192.0.2.2", "10.75.0.1", "192.0.2.2")]
    [InlineData("traceroute -n -q 1 -w 2 -I 192.0.2.2", "10.75.0.1", "192.0.2.2")]
    [InlineData("traceroute -n -q 1 -w 2 2001:db8::2", "fd75::1", "2001:db8::2")]
    [InlineData("traceroute -n -q 1 -w 2 -I 2001:db8::2", "fd75::1", "2001:db8::2")]
    public async Task Traceroute_shows_the_gateway_and_what_is_behind(string command, string first, string second)
    {
        Outcome trace = (await network.Run("guest", command)).Succeeded();
        string[] hops = trace.Output.TrimEnd().Split('\n')[1..];
        Assert.Equal([first, second], hops.Select(hop => hop.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]));
    }

    [Theory]
    [InlineData("127.1.2.3")]
    [InlineData("169.254.169.254")]
    public async Task What_is_the_hosts_own_is_out_of_bounds(string address)
    {
        await network.Run("guest", $"ip route add {address} via 10.75.0.1; sysctl -qw net.ipv4.conf.eth0.route_localnet=1");
        Outcome denied = await network.Run("guest", $"curl -sv --max-time 5 http://{address}/; ping -c 1 -W 2 {address}");
        Assert.DoesNotContain("1 received", denied.Output);
        Assert.Contains("Failed to connect", denied.Errors);
    }
}
