using System.Globalization;

namespace Hypha.NetworkDaemon.Tests;

public sealed class LimitTests
{
    private const int Seconds = 6;

    [Fact]
    public async Task What_goes_out_and_what_comes_in_keep_to_their_rates()
    {
        await using GuestNetwork network = await PolicyTests.Begin("limit out 20mbit\nlimit in 40mbit");
        await network.Serve("world", "exec socat -u TCP-LISTEN:7500 SYSTEM:'wc -c >sent'", 7500);
        await network.Serve("world", "exec socat -u OPEN:/dev/zero TCP-LISTEN:7501,fork", 7501);
        await network.Run("guest", $"timeout {Seconds} socat -u OPEN:/dev/zero TCP:192.0.2.2:7500; true");
        IsNear(20, await network.Run("world", "until [ -s sent ]; do sleep 0.1; done; cat sent"));
        IsNear(40, await network.Run("guest", $"timeout {Seconds} socat -u TCP:192.0.2.2:7501 - | wc -c"));
    }

    [Fact]
    public async Task Many_connections_share_the_rate_and_a_name_is_answered_meanwhile()
    {
        await using GuestNetwork network = await PolicyTests.Begin("limit in 40mbit", "--dns", "192.0.2.2");
        await network.Serve("world", "exec socat -u OPEN:/dev/zero TCP-LISTEN:7501,fork", 7501);
        await network.Serve("world", "exec dnsmasq -k -u root --no-resolv --no-hosts --pid-file= --address=/example.test/192.0.2.2", 53, udp: true);
        Task<Outcome> all = network.Run("guest", $"for i in $(seq 8); do (timeout {Seconds} socat -u TCP:192.0.2.2:7501 - | tee >(wc -c >got$i)) & done | wc -c; sleep 0.2");
        Task<Outcome> names = network.Run("guest", "sleep 1; for i in $(seq 20); do dig +short +tries=1 +timeout=2 @10.75.0.1 example.test; sleep 0.1; done");
        Assert.Equal(20, (await names).Output.Split("192.0.2.2").Length - 1);
        IsNear(40, await all);
        // Nobody starves.
        Outcome least = await network.Run("guest", "cat got* | sort -n | head -1");
        Assert.InRange(long.Parse(least.Output, CultureInfo.InvariantCulture), 40_000_000L / 8 * Seconds / 8 / 4, long.MaxValue);
    }

    [Fact]
    public async Task A_connection_too_many_is_refused_and_those_that_are_there_go_on()
    {
        await using GuestNetwork network = await PolicyTests.Begin("limit flows 3");
        await network.Serve("world", "exec socat TCP6-LISTEN:7,fork,reuseaddr,ipv6only=0 EXEC:cat", 7);
        Outcome outcome = await network.Run("guest", """
            for i in 3 4 5; do eval "exec $i<>/dev/tcp/192.0.2.2/7"; done
            (exec 6<>/dev/tcp/192.0.2.2/7) 2>&1 | grep -o "Connection refused" | head -1
            for i in 3 4 5; do echo "still $i" >&$i; read -t 5 line <&$i; echo "$line"; done
            exec 3>&-; sleep 0.5
            for n in 1 2 3 4 5 6; do printf "again" | socat -t 5 - TCP:192.0.2.2:7 2>/dev/null && break; sleep 1; done
            """);
        Assert.Equal("Connection refused\nstill 3\nstill 4\nstill 5\nagain", outcome.Output);
    }

    /// <summary>Within a quarter.</summary>
    private static void IsNear(int megabits, Outcome bytes)
    {
        double seen = double.Parse(bytes.Output, CultureInfo.InvariantCulture) * 8 / 1e6 / Seconds;
        TestContext.Current.TestOutputHelper?.WriteLine($"{seen:F1} Mbit/s of {megabits}");
        Assert.InRange(seen, megabits * 0.75, megabits * 1.25);
    }
}
