using System.Diagnostics;

namespace Hypha.NetworkDaemon.Tests;

[Collection<PlainNetwork>]
public sealed class TcpTests(PlainNetwork network)
{
    [Theory]
    [InlineData("http://192.0.2.2/", "hello from 192.0.2.2\n")]
    [InlineData("http://[2001:db8::2]/", "hello from 2001:db8::2\n")]
    [InlineData("http://example.test/", "hello from 192.0.2.2\n")]
    public async Task A_page_is_fetched_from_the_world(string url, string page) =>
        Assert.Equal(page, (await network.Run("guest", $"curl -sS --max-time 10 --resolve example.test:80:$(dig +short @10.75.0.1 example.test) {url}")).Succeeded().Output);

    [Theory]
    [InlineData("192.0.2.2")]
    [InlineData("[2001:db8::2]")]
    public async Task Refused_stays_refused_and_is_fast(string address)
    {
        long start = Stopwatch.GetTimestamp();
        Outcome refused = await network.Run("guest", $"socat -u /dev/null TCP:{address}:81");
        Assert.Contains("Connection refused", refused.Errors);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Unreachable_stays_unreachable()
    {
        // A neighbour that is not there, and a network that there is no way to.
        Assert.Contains("No route to host", (await network.Run("guest", "socat -u /dev/null TCP:192.0.2.77:80")).Errors);
        Assert.Contains("Network is unreachable", (await network.Run("guest", "socat -u /dev/null TCP:198.51.100.1:80")).Errors);
    }

    [Theory]
    [InlineData("192.0.2.2")]
    [InlineData("[2001:db8::2]")]
    public async Task Half_a_close_leaves_the_other_half_open(string address) =>
        // cat in the world ends when it has seen the guest's end, and the guest waits for what comes after that.
        Assert.Equal("5 bytes\n", (await network.Run("guest", $"printf hello | socat -t 10 - TCP:{address}:7 | wc -c | sed 's/$/ bytes/'")).Succeeded().Output);

    [Theory]
    [InlineData("192.0.2.2", 7101)]
    [InlineData("[2001:db8::2]", 7102)]
    public async Task Sixty_four_megabytes_arrive_as_they_were_sent_each_way(string address, int port)
    {
        await network.Run("world", "head -c 67108864 /dev/urandom >big; sha256sum <big | cut -c1-64 >big.sum");
        string sum = (await network.Run("world", "cat big.sum")).Output.Trim();
        Assert.Equal(sum, (await network.Run("guest", $"curl -sS --max-time 60 -o - http://{address}/big | sha256sum | cut -c1-64", 60)).Succeeded().Output.Trim());
        await network.Serve("world", $"exec socat -u TCP6-LISTEN:{port},ipv6only=0 CREATE:got{port}", port);
        (await network.Run("guest", $"socat -u OPEN:big TCP:{address}:{port}", 60)).Succeeded();
        Assert.Equal(sum, (await network.Run("world", $"until [ $(stat -c %s got{port}) = 67108864 ]; do sleep 0.1; done; sha256sum <got{port} | cut -c1-64")).Succeeded().Output.Trim());
    }

    [Fact]
    public async Task Who_never_reads_stops_the_sender_and_costs_little_memory()
    {
        long before = network.ResidentKilobytes();
        await network.Serve("world", "exec socat -u TCP-LISTEN:7200,fork EXEC:'sleep 60'", 7200);
        // To a server that reads nothing; and from one, by a client that reads nothing.
        Outcome stalled = await network.Run("guest", """
            timeout 4 socat -u OPEN:/dev/zero TCP:192.0.2.2:7200 &
            (timeout 4 curl -sS --limit-rate 1k http://192.0.2.2/big -o /dev/null) &
            wait; true
            """);
        Assert.Equal(0, stalled.Status);
        Assert.InRange(network.ResidentKilobytes() - before, long.MinValue, 24 << 10);
    }

    [Fact]
    public async Task Two_thousand_connections_are_answered()
    {
        Outcome answers = await network.Run("guest", """
            ulimit -n 8192
            for i in $(seq 20); do (for j in $(seq 5); do printf 'url = http://192.0.2.2/\nurl = http://[2001:db8::2]/\n'; done; for j in $(seq 90); do printf 'url = http://192.0.2.2/\n'; done) >urls$i; curl -sS --max-time 30 --no-keepalive -H 'Connection: close' -K urls$i & done; wait
            """, 60);
        Assert.Equal(2_000, answers.Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task A_reset_passes_each_way()
    {
        await network.Serve("world", "exec socat TCP-LISTEN:7300,fork,reuseaddr,linger=0 SYSTEM:'head -c 1 >/dev/null'", 7300);
        Outcome reset = await network.Run("guest", "(echo x; sleep 2; echo y; sleep 1; echo z) | socat -t 5 - TCP:192.0.2.2:7300");
        Assert.Matches("reset by peer|Broken pipe", reset.Errors);
    }
}
