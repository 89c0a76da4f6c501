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
        Assert.Equal("published\n", (await network.Run("world", "socat -T 5 TCP:192.0.2.1:8080 -")).Succeeded().Output);
        File.Delete(file);
    }
}
