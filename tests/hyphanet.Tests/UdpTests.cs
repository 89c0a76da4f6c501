namespace Hypha.NetworkDaemon.Tests;

[Collection<PlainNetwork>]
public sealed class UdpTests(PlainNetwork network)
{
    [Theory]
    [InlineData("192.0.2.2")]
    [InlineData("[2001:db8::2]")]
    public async Task A_datagram_comes_back(string address) =>
        Assert.Equal("hello", (await network.Run("guest", $"printf hello | socat -t 1 - UDP:{address}:7")).Succeeded().Output);

    [Theory]
    [InlineData("192.0.2.2")]
    [InlineData("[2001:db8::2]")]
    public async Task A_port_that_is_shut_is_told(string address) =>
        Assert.Contains("Connection refused", (await network.Run("guest", $"(echo a; sleep 0.3; echo b; sleep 0.3) | socat -t 1 - UDP:{address}:9")).Errors);

    [Theory]
    [InlineData("192.0.2.2", 7411)]
    [InlineData("2001:db8::2", 7412)]
    public async Task A_burst_arrives_datagram_by_datagram_in_order(string address, int port)
    {
        string burst = $"python3 {Path.Combine(AppContext.BaseDirectory, "burst.py")}", seen = Path.Combine(network.Directory, $"burst{port}");
        await network.Serve("world", $"exec {burst} listen {port} >{seen}", port, udp: true);
        Outcome sent = (await network.Run("guest", $"{burst} send {address} {port} segments")).Succeeded();
        // The kernel may lose some of so many; none may be joined, cut or overtaken.
        string[] left = sent.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] came = (await network.Run("world", $"until [ -s {seen} ]; do sleep 0.05; done; cat {seen}")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(came.Length > left.Length * 9 / 10, $"{came.Length} of {left.Length}");
        int at = 0;
        foreach (string one in came)
            Assert.True((at = Array.IndexOf(left, one, at) + 1) > 0, $"{one} was not sent, or not then");
        Assert.Contains(came, one => one.StartsWith("500 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_port_of_the_guest_is_one_port_to_all_the_world()
    {
        // Two servers that tell who asked them.
        foreach (int port in (int[])[7401, 7402])
            await network.Serve("world", $"exec {GuestNetwork.Who} {port}", port, udp: true);
        Outcome ports = await network.Run("guest", "for p in 7401 7402; do echo x | socat -t 1 - UDP:192.0.2.2:$p,sourceport=4400,reuseaddr; done");
        string[] seen = ports.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, seen.Length);
        Assert.Equal(seen[0], seen[1]);
    }

    [Fact]
    public async Task Names_come_from_the_hosts_server_even_when_the_first_is_dead()
    {
        Assert.Equal("192.0.2.2\n", (await network.Run("guest", "dig +short +tries=1 +timeout=20 @10.75.0.1 example.test")).Succeeded().Output);
        Assert.Equal("192.0.2.2\n", (await network.Run("guest", "dig +short +tries=1 +timeout=20 @fd75::1 EXAMPLE.test")).Succeeded().Output);
        Assert.Equal("gateway.\n", (await network.Run("guest", "dig +short @10.75.0.1 -x 10.75.0.1")).Succeeded().Output);
        Assert.Contains("NXDOMAIN", (await network.Run("guest", "dig @10.75.0.1 -x fd75::77")).Succeeded().Output);
    }

    [Fact]
    public async Task A_DHCP_client_gets_its_address_its_gateway_and_its_name_server()
    {
        // The client's script shows what it was given.
        Outcome lease = (await network.Run("guest", """
            printf '#!/bin/sh\n[ "$1" = bound ] && echo "$ip/$mask via $router dns $dns mtu $mtu lease $lease"\nexit 0\n' >show; chmod +x show
            busybox udhcpc -i eth0 -n -q -f -t 3 -T 2 -s ./show
            """)).Succeeded();
        Assert.Contains("10.75.0.2/24 via 10.75.0.1 dns 10.75.0.1 mtu 1500 lease 86400", lease.Output);
    }

    [Fact]
    public async Task A_long_answer_comes_by_TCP()
    {
        Outcome answer = (await network.Run("guest", "dig +bufsize=512 @10.75.0.1 big.test TXT")).Succeeded();
        Assert.Contains("Truncated, retrying in TCP mode", answer.Output);
        Assert.Contains(new string('f', 250), answer.Output);
    }
}
