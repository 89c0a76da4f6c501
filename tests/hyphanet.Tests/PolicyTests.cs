namespace Hypha.NetworkDaemon.Tests;

public sealed class PolicyTests
{
    [Fact]
    public async Task Rules_stop_what_they_deny_and_nothing_else()
    {
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "allow tcp to 192.0.2.2 port 7\nallow icmp\ndefault deny\n");
        await using var network = new GuestNetwork("--policy", file, "-p", "8080:80");
        await network.InitializeAsync();
        await network.Serve("world", "exec socat TCP6-LISTEN:7,fork,reuseaddr,ipv6only=0 EXEC:cat", 7);
        await network.Serve("world", "exec socat TCP-LISTEN:8,fork,reuseaddr EXEC:cat", 8);
        Assert.Equal("hello", (await network.Run("guest", "printf hello | socat -t 5 - TCP:192.0.2.2:7")).Succeeded().Output);
        Assert.Matches("No route to host|Permission denied", (await network.Run("guest", "socat -u /dev/null TCP:192.0.2.2:8,connect-timeout=5")).Errors);
        Assert.Matches("No route to host|Permission denied", (await network.Run("guest", "socat -u /dev/null TCP:[2001:db8::2]:7,connect-timeout=5")).Errors);
        (await network.Run("guest", "ping -c 1 -W 5 192.0.2.2; ping -c 1 -W 5 2001:db8::2")).Succeeded();
        // What somebody else begins is not the guest's to be forbidden.
        await network.Serve("guest", "exec socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'echo published'", 80);
        Assert.Equal("published\n", (await network.Run("world", "socat -t 10 TCP:192.0.2.1:8080 -")).Succeeded().Output);
        File.Delete(file);
    }

    [Fact]
    public async Task A_name_of_a_rule_opens_what_DNS_says_of_it_and_a_hostile_server_opens_no_more()
    {
        await using GuestNetwork network = await Begin("""
            allow tcp to name example.test port 7
            allow to name *.example.test
            default deny
            dns listed
            """, "--dns", "192.0.2.2");
        await network.Serve("world", "exec socat TCP6-LISTEN:7,fork,reuseaddr,ipv6only=0 EXEC:cat", 7);
        await network.Serve("world", "exec socat TCP6-LISTEN:8,fork,reuseaddr,ipv6only=0 EXEC:cat", 8);
        await network.Serve("host", "ip addr add 169.254.169.254/32 dev lo; exec socat TCP-LISTEN:7,bind=169.254.169.254,fork,reuseaddr EXEC:cat", 7);
        await network.Serve("world", "exec dnsmasq -k -u root --no-resolv --no-hosts --pid-file= --address=/example.test/192.0.2.2 --address=/rebind.example.test/169.254.169.254 "
            + "--address=/tunnel.test/192.0.2.2", 53, udp: true);
        const string echo = "printf hello | socat -t 5 - TCP:192.0.2.2:7,connect-timeout=5";
        Assert.Matches(Denied, (await network.Run("guest", echo)).Errors); // nobody asked yet
        Assert.Equal("192.0.2.2\n", (await network.Run("guest", "dig +short @10.75.0.1 example.test")).Succeeded().Output);
        Assert.Equal("hello", (await network.Run("guest", echo)).Succeeded().Output);
        Assert.Matches(Denied, (await network.Run("guest", "socat -u /dev/null TCP:192.0.2.2:8,connect-timeout=5")).Errors); // another port
        Assert.Equal("169.254.169.254\n", (await network.Run("guest", "dig +short @10.75.0.1 rebind.example.test")).Succeeded().Output);
        Assert.Matches(Denied, (await network.Run("guest", "socat -u /dev/null TCP:169.254.169.254:7,connect-timeout=5")).Errors);
        Assert.Contains("status: REFUSED", (await network.Run("guest", "dig @10.75.0.1 x.tunnel.test")).Output);
        Assert.Contains("connection refused", (await network.Run("guest", "dig +tcp +tries=1 @10.75.0.1 x.tunnel.test")).Output);
    }

    [Fact]
    public async Task Rules_for_what_comes_in_reset_connections_and_drop_datagrams_that_they_deny()
    {
        await using GuestNetwork network = await Begin("""
            deny in from 192.0.2.3
            allow in tcp from 192.0.2.0/24 port 80
            allow in udp from 192.0.2.0/24
            default in deny
            """, "-p", "8080:80", "-p", "8081:81", "-p", "5300:53/udp");
        await network.Serve("guest", "socat TCP6-LISTEN:80,fork,reuseaddr,ipv6only=0 SYSTEM:'echo published' & exec socat TCP6-LISTEN:81,fork,reuseaddr,ipv6only=0 SYSTEM:'echo published'", 81);
        await network.Serve("guest", $"exec {GuestNetwork.Who} 53", 53, udp: true);
        (await network.Run("world", "ip addr add 192.0.2.3/24 dev eth0")).Succeeded();
        Assert.Equal("published\n", (await network.Run("world", "socat -t 10 TCP:192.0.2.1:8080 -")).Succeeded().Output);
        Assert.StartsWith("192.0.2.2 ", (await network.Run("world", "echo x | socat -t 2 - UDP:192.0.2.1:5300")).Succeeded().Output);
        foreach (string refused in (string[])["--interface 192.0.2.3 http://192.0.2.1:8080/", "http://192.0.2.1:8081/", "http://[2001:db8::1]:8080/"])
            Assert.Matches(Reset, (await network.Run("world", $"curl -sS --max-time 10 {refused}")).Errors);
        Assert.Equal("", (await network.Run("world", "echo x | socat -t 2 - UDP:192.0.2.1:5300,bind=192.0.2.3")).Output);
        Assert.Matches(Reset, (await network.Run("host", "curl -sS --max-time 10 http://127.0.0.1:8080/")).Errors);
    }

    [Fact]
    public async Task Flows_that_are_denied_are_named_a_few_a_minute()
    {
        await using GuestNetwork network = await Begin("deny in tcp port 80\nallow icmp\ndefault deny", "-p", "8080:80");
        await network.Run("guest", "for i in 1 2 3; do socat -u /dev/null TCP:192.0.2.2:7,connect-timeout=2; done");
        await network.Run("world", "socat -u TCP:192.0.2.1:8080 -");
        await network.Run("guest", "for i in $(seq 50); do echo x >/dev/udp/192.0.2.2/$((1000 + i)); done");
        var lines = new List<string>();
        while (lines.Count < 10)
            lines.Add((await network.Gateway.StandardError.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)))!);
        network.Gateway.Kill();
        Assert.Equal("", await network.Gateway.StandardError.ReadToEndAsync());
        Assert.Equal("denied tcp from 10.75.0.2 to 192.0.2.2 port 7", lines[0]);
        Assert.Equal("denied in tcp from 192.0.2.2 to 10.75.0.2 port 80", lines[1]);
        Assert.Equal("denied udp from 10.75.0.2 to 192.0.2.2 port 1001", lines[2]);
    }

    // The one when it comes after the connection is there, the other when before curl has seen that; a timeout has other words.
    private const string Reset = "reset by peer|Could(n't| not) connect";

    private const string Denied = "No route to host|Permission denied";

    internal static async Task<GuestNetwork> Begin(string rules, params string[] options)
    {
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, rules);
        var network = new GuestNetwork(["--policy", file, .. options]);
        await network.InitializeAsync();
        File.Delete(file);
        return network;
    }

    [Fact]
    public async Task A_guest_without_a_way_out_is_reached_by_its_published_ports_and_reaches_nobody()
    {
        await using var network = new GuestNetwork("--internal", "--dns", "192.0.2.2", "-p", "8080:80");
        await network.InitializeAsync();
        await network.Serve("world", "exec socat TCP6-LISTEN:7,fork,reuseaddr,ipv6only=0 EXEC:cat", 7);
        await network.Serve("world", "exec dnsmasq -k -u root --no-resolv --no-hosts --pid-file= --address=/example.test/192.0.2.2", 53, udp: true);
        foreach (string target in new[] { "192.0.2.2", "[2001:db8::2]" })
            Assert.Matches("No route to host|Permission denied", (await network.Run("guest", $"socat -u /dev/null TCP:{target}:7,connect-timeout=5")).Errors);
        Assert.DoesNotContain("1 received", (await network.Run("guest", "ping -c 1 -W 2 192.0.2.2; ping -c 1 -W 2 2001:db8::2")).Output);
        Assert.Contains("1 received", (await network.Run("guest", "ping -c 1 -W 5 10.75.0.1")).Output);
        Assert.DoesNotContain("192.0.2.2", (await network.Run("guest", "dig +short +tries=1 +time=2 @10.75.0.1 example.test; dig +short +tcp +tries=1 +time=2 @10.75.0.1 example.test")).Output);
        await network.Serve("guest", "exec socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'echo published'", 80);
        Assert.Equal("published\n", (await network.Run("world", "socat -t 10 TCP:192.0.2.1:8080 -")).Succeeded().Output);
    }
}
