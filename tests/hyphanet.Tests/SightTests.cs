using System.Text.Json;

namespace Hypha.NetworkDaemon.Tests;

/// <summary>What hyphactl network shows of a guest that hyphanet serves.</summary>
public sealed class SightTests : IAsyncLifetime
{
    private readonly WatchedNetwork _network = new();

    public async ValueTask InitializeAsync()
    {
        await _network.InitializeAsync();
        await _network.Serve("world", "exec socat TCP6-LISTEN:7,fork,reuseaddr,ipv6only=0 EXEC:cat", 7);
    }

    public ValueTask DisposeAsync() => _network.DisposeAsync();

    [Fact]
    public async Task Statistics_count_what_went_each_way_and_what_was_dropped()
    {
        Assert.Equal(0ul, await Pings());
        (await _network.Run("guest", "ping -c 3 -i 0.05 -W 5 192.0.2.2; ip addr add 10.75.0.9/24 dev eth0; ping -c 2 -i 0.05 -W 1 -I 10.75.0.9 192.0.2.2; true")).Succeeded();
        using JsonDocument statistics = JsonDocument.Parse((await _network.Look("stats vguest --json")).Succeeded().Output);
        JsonElement guest = Assert.Single(statistics.RootElement.EnumerateArray());
        Assert.Equal("10.75.0.2/24", guest.GetProperty("address").GetString());
        Assert.Equal(17, guest.GetProperty("mac").GetString()!.Length);
        JsonElement frames = guest.GetProperty("frames");
        Assert.True(frames.GetProperty("framesSent").GetUInt64() >= 5);
        Assert.InRange(frames.GetProperty("bytesReceived").GetUInt64(), 3 * 98ul, 3_000ul);
        Assert.InRange(frames.GetProperty("spoofed").GetUInt64(), 2ul, 4ul); // with the ARP that goes before
        Assert.Equal(1u, guest.GetProperty("echo").GetProperty("flows").GetUInt32());
        Assert.Matches(@"NAME +DOMAIN +NETWORK +ADDRESS.*\nvguest +10\.75\.0\.2 .* [2-4] spoofed", (await _network.Look("stats")).Succeeded().Output);
    }

    [Fact]
    public async Task Flows_have_both_ends_their_state_and_their_bytes()
    {
        Task<Outcome> open = _network.Run("guest", "exec 3<>/dev/tcp/192.0.2.2/7; echo hello >&3; head -n 1 <&3 >answer; until [ -e seen ]; do sleep 0.05; done");
        await _network.Run("guest", "until grep -q hello answer; do sleep 0.05; done; echo x >/dev/udp/192.0.2.2/9");
        using JsonDocument flows = JsonDocument.Parse((await _network.Look("flows vguest --json")).Succeeded().Output);
        JsonElement tcp = Assert.Single(flows.RootElement.EnumerateArray(), flow => flow.GetProperty("protocol").GetString() == "tcp");
        Assert.Equal(("192.0.2.2", 7, "ESTABLISHED"), (tcp.GetProperty("remoteAddress").GetString(), tcp.GetProperty("remotePort").GetInt32(), tcp.GetProperty("state").GetString()));
        Assert.Equal((6, 6), (tcp.GetProperty("bytesSent").GetInt32(), tcp.GetProperty("bytesReceived").GetInt32()));
        JsonElement udp = Assert.Single(flows.RootElement.EnumerateArray(), flow => flow.GetProperty("protocol").GetString() == "udp");
        Assert.Equal(("192.0.2.2", 9, 2), (udp.GetProperty("remoteAddress").GetString(), udp.GetProperty("remotePort").GetInt32(), udp.GetProperty("bytesSent").GetInt32()));
        Assert.Matches(@"vguest +tcp +10\.75\.0\.2:\d+ +192\.0\.2\.2:7 +ESTABLISHED +6 B +6 B ", (await _network.Look("flows")).Succeeded().Output);
        await _network.Run("guest", "touch seen");
        (await open).Succeeded();
    }

    [Fact]
    public async Task Rates_are_printed_once_a_second_so_often_as_asked()
    {
        Task<Outcome> ping = _network.Run("guest", "ping -q -i 0.02 -w 5 10.75.0.1");
        string[] lines = (await _network.Look("top -n 2")).Succeeded().Output.TrimEnd().Split('\n');
        await ping;
        Assert.Equal(4, lines.Length);
        Assert.All([lines[0], lines[2]], line => Assert.StartsWith("NAME", line, StringComparison.Ordinal));
        Assert.Matches(@"^vguest +[0-9.]+ KiB +[0-9.]+ KiB +\d{2} +\d{2} ", lines[3]);
    }

    [Fact]
    public async Task Who_is_not_there_is_said_and_the_socket_is_its_owners_alone()
    {
        Outcome nobody = await _network.Look("stats nobody");
        Assert.Equal((1, true), (nobody.Status, nobody.Errors.Contains("serves nobody who is called \"nobody\"", StringComparison.Ordinal)));
        Assert.Contains("hyphanet is not running", (await _network.Run("host", $"{WatchedNetwork.Hyphactl} network stats --control /nowhere")).Errors);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_network.Control));
        await _network.Run("host", $"kill -TERM {_network.Gateway.Id}");
        await _network.Gateway.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(File.Exists(_network.Control));
    }

    [Fact]
    public async Task A_killed_hyphanets_socket_is_taken_over()
    {
        await _network.KillGateway();
        Assert.True(File.Exists(_network.Control));
        await _network.StartGateway();
        (await _network.Look("stats")).Succeeded();
    }

    private async Task<ulong> Pings()
    {
        using JsonDocument statistics = JsonDocument.Parse((await _network.Look("stats --json")).Succeeded().Output);
        return statistics.RootElement[0].GetProperty("echo").GetProperty("opened").GetUInt64();
    }
}
