namespace Hypha.NetworkDaemon.Tests;

/// <summary>A world that lies, breaks off, says nothing or takes nothing, and a host that runs out.</summary>
public sealed class HostileWorldTests
{
    [Fact]
    public async Task Name_servers_that_lie_are_not_believed_and_stop_nobody()
    {
        await using var network = await Start("--dns", "192.0.2.2");
        await network.Serve("world", $"exec python3 {Path.Combine(AppContext.BaseDirectory, "liar.py")}", 53, udp: true);
        // Wrong identifiers, another port, another question, no answer at all, parts of answers, impossible counts: and then the truth.
        foreach (string name in (string[])["plain", "id", "port", "question", "query", "short", "many"])
            Assert.Equal($"192.0.2.50\n", (await network.Run("guest", $"dig +short +tries=1 +timeout=10 @10.75.0.1 {name}.test")).Succeeded().Output);
        // Cut off: asked again by TCP.
        Outcome cut = await network.Run("guest", "dig +tries=1 +timeout=10 @10.75.0.1 truncated.test");
        Assert.Contains("retrying in TCP mode", cut.Output);
        Assert.Contains("192.0.2.50", cut.Output);
        // What is wrong behind the question is for who asked to see.
        Assert.DoesNotContain("192.0.2.50", (await network.Run("guest", "dig +short +tries=1 +timeout=10 @10.75.0.1 loop.test")).Output);
        Assert.DoesNotContain("192.0.2.", (await network.Run("guest", "dig +short +tries=1 +timeout=10 @10.75.0.1 nothing.test")).Output);
        // A flood of wrong answers, and none: an honest failure, and others are answered meanwhile.
        Task<Outcome> flood = network.Run("guest", "dig +tries=1 +timeout=20 @10.75.0.1 flood.test"), silent = network.Run("guest", "dig +tries=1 +timeout=20 @10.75.0.1 silent.test");
        for (int i = 0; i < 5; i++)
            Assert.Equal("192.0.2.50\n", (await network.Run("guest", $"dig +short +tries=1 +timeout=10 @10.75.0.1 other{i}.test")).Succeeded().Output);
        Assert.Contains("SERVFAIL", (await flood).Output);
        Assert.Contains("SERVFAIL", (await silent).Output);
    }

    [Fact]
    public async Task Out_of_descriptors_what_is_open_goes_on_and_what_is_new_comes_later()
    {
        await using var network = await Start("--dns", "192.0.2.2", "-p", "8080:80");
        await network.Serve("world", "exec socat TCP-LISTEN:7,fork,reuseaddr EXEC:cat", 7);
        Task<Outcome> early = network.Run("guest", "exec 3<>/dev/tcp/192.0.2.2/7; touch early; until [ -e full ]; do sleep 0.1; done; echo still here >&3; head -n 1 <&3");
        await network.Run("guest", "until [ -e early ]; do sleep 0.05; done");
        // The limit falls while it runs: eight more files, for twelve connections that stay.
        (await network.Host($"n=0 free=0; while [ $free -lt 8 ]; do [ -L /proc/{network.Gateway.Id}/fd/$n ] || free=$((free + 1)); n=$((n + 1)); done; prlimit --pid {network.Gateway.Id} --nofile=$n")).Succeeded();
        Task<Outcome> held = network.Run("guest", "for i in $(seq 12); do timeout 25 bash -c 'exec 3<>/dev/tcp/192.0.2.2/7; echo >>opened; until [ -e enough ]; do sleep 0.1; done' & done; wait; true");
        Outcome outcome = await network.Run("guest", """
            sleep 2; [ $(wc -l <opened) -le 8 ] && echo some opened
            timeout 2 bash -c 'exec 3<>/dev/tcp/192.0.2.2/7' && echo opened || echo not opened
            ping -c 1 -W 1 192.0.2.2 >/dev/null && echo pinged || echo not pinged
            dig +tries=1 +timeout=5 @10.75.0.1 x.test | grep -o SERVFAIL
            ping -c 1 -W 5 10.75.0.1 >/dev/null && echo the gateway lives
            touch full
            """);
        Assert.Equal("some opened\nnot opened\nnot pinged\nSERVFAIL\nthe gateway lives\n", outcome.Output);
        Assert.Equal("still here\n", (await early).Output);
        // Who calls the guest's port waits, and waiting costs no time of the processor.
        TimeSpan before = network.ProcessorTime();
        await network.Run("world", "for i in 1 2 3 4 5 6 7 8 9 10; do exec {fd}<>/dev/tcp/192.0.2.1/8080; done; sleep 2");
        Assert.InRange((network.ProcessorTime() - before).TotalSeconds, 0, 1);
        // All of them are closed: it serves again.
        await network.Run("guest", "touch enough");
        await held;
        Assert.Equal("hello\n", (await network.Run("guest", "for i in $(seq 20); do echo hello | timeout 5 socat -t 2 - TCP:192.0.2.2:7 && break; sleep 0.2; done")).Succeeded().Output);
    }

    [Fact]
    public async Task A_guests_interface_that_goes_down_comes_up_and_goes_for_good_is_noticed()
    {
        await using var network = await Start();
        for (int i = 0; i < 2; i++)
        {
            (await network.Run("guest", "ping -c 1 -W 5 192.0.2.2")).Succeeded();
            (await network.Host("ip link set vguest down; sleep 0.3; ip link set vguest up")).Succeeded();
            (await network.Run("guest", "for i in $(seq 20); do ping -c 1 -W 1 192.0.2.2 && exit 0; done; exit 1")).Succeeded();
            (await network.Run("guest", "ip link set eth0 down; sleep 0.3; ip link set eth0 up; ip route add default via 10.75.0.1")).Succeeded();
        }
        (await network.Run("guest", "for i in $(seq 20); do ping -c 1 -W 1 192.0.2.2 && exit 0; done; exit 1")).Succeeded();
        (await network.Host("ip link del vguest")).Succeeded();
        await network.Gateway.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(1, network.Gateway.ExitCode);
    }

    [Fact]
    public async Task Who_says_nothing_and_who_says_nothing_any_more_is_told_to_the_guest()
    {
        await using var network = await Start();
        // The world forwards nothing: what is sent there is gone. The host's kernel gives up sooner than usual.
        (await network.Host("sysctl -qw net.ipv4.tcp_syn_retries=1 net.ipv4.tcp_retries2=3; ip route add 203.0.113.0/24 via 192.0.2.2")).Succeeded();
        Assert.Contains("No route to host", (await network.Run("guest", "socat -u /dev/null TCP:203.0.113.5:80,connect-timeout=25")).Errors);
        await network.Serve("world", "exec socat TCP-LISTEN:7,fork,reuseaddr EXEC:cat", 7);
        Task<Outcome> open = network.Run("guest", "exec 3<>/dev/tcp/192.0.2.2/7; echo before >&3; head -n 1 <&3 >seen; until [ -e gone ]; do sleep 0.1; done; echo after >&3; cat <&3");
        await network.Run("guest", "until grep -q before seen; do sleep 0.05; done");
        await network.Run("world", "ip link set eth0 down; touch gone");
        Assert.Matches("reset by peer|timed out", (await open).Errors);
    }

    [Fact]
    public async Task Who_takes_nothing_leaves_other_connections_alone()
    {
        await using var network = await Start();
        await network.Serve("world", "exec socat -u TCP-LISTEN:7200,fork EXEC:'sleep 60'", 7200);
        await network.Serve("world", "exec socat TCP-LISTEN:7,fork,reuseaddr EXEC:cat", 7);
        Task<Outcome> stalled = network.Run("guest", "for i in $(seq 20); do timeout 6 socat -u OPEN:/dev/zero TCP:192.0.2.2:7200 & done; wait; true");
        await Task.Delay(1_500);
        Outcome other = await network.Run("guest", "for i in $(seq 10); do head -c 100000 /dev/zero | timeout 5 socat -t 5 - TCP:192.0.2.2:7 | wc -c; done");
        Assert.Equal(string.Concat(Enumerable.Repeat("100000\n", 10)), other.Output);
        await stalled;
    }

    private static async Task<GuestNetwork> Start(params string[] options)
    {
        var network = new GuestNetwork(options);
        await network.InitializeAsync();
        return network;
    }
}
