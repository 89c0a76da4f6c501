namespace Hypha.NetworkDaemon.Tests;

public sealed class MetricsTests : IAsyncLifetime
{
    private readonly WatchedNetwork _network = new();

    public ValueTask InitializeAsync() => _network.InitializeAsync();

    public ValueTask DisposeAsync() => _network.DisposeAsync();

    [Fact]
    public async Task Metrics_are_in_Prometheus_text_format()
    {
        (await _network.Run("guest", "ping -c 3 -i 0.05 -W 5 192.0.2.2")).Succeeded();
        Outcome got = (await _network.Run("host", "curl -sSi --max-time 10 http://127.0.0.1:9475/metrics")).Succeeded();
        string[] parts = got.Output.Split("\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n", parts[0]);
        string[] lines = parts[1].TrimEnd().Split('\n');
        Assert.All(lines, line => Assert.Matches(@"^(# (HELP hypha_network_\w+ .+|TYPE hypha_network_\w+ (counter|gauge))|hypha_network_\w+(\{(\w+=""[^""]*"",?)+\})? \d+)$", line));
        Assert.Contains("hypha_network_guests 1", lines);
        Assert.Contains("hypha_network_flows{interface=\"vguest\",name=\"\",network=\"\",protocol=\"echo\"} 1", lines);
        string frames = Assert.Single(lines, line => line.StartsWith("hypha_network_frames_total{", StringComparison.Ordinal) && line.Contains("direction=\"out\"", StringComparison.Ordinal));
        Assert.True(int.Parse(frames.Split(' ')[1]) >= 3, frames);
        // Each metric is described once, before its samples, which stand together.
        string[] described = [.. lines.Where(line => line.StartsWith("# TYPE", StringComparison.Ordinal)).Select(line => line.Split(' ')[2])];
        Assert.Equal(described.Distinct(), described);
        string[] sampled = [.. lines.Where(line => line[0] != '#').Select(line => line.Split('{', ' ')[0])];
        Assert.Equal(described, sampled.Where((name, at) => at == 0 || sampled[at - 1] != name));
    }

    [Fact]
    public async Task Other_requests_are_refused_and_none_keeps_the_next_from_its_answer()
    {
        Outcome got = await _network.Run("host", """
            M=http://127.0.0.1:9475
            curl -s -o /dev/null -w '%{http_code}\n' $M/; curl -s -o /dev/null -w '%{http_code}\n' -X POST $M/metrics
            printf 'nonsense\r\n\r\n' | socat -t 5 - TCP:127.0.0.1:9475 | head -n 1
            head -c 20000 /dev/zero | socat -t 5 - TCP:127.0.0.1:9475 >/dev/null 2>&1
            sleep 60 | socat - TCP:127.0.0.1:9475 >/dev/null 2>&1 & sleep 0.2
            curl -s --max-time 20 -o /dev/null -w '%{http_code}\n' $M/metrics; kill %1
            """);
        Assert.Equal("404\n405\nHTTP/1.1 400 Bad Request\r\n200\n", got.Output);
    }

    [Fact]
    public async Task An_address_that_is_none_or_is_taken_is_said()
    {
        string program = Path.Combine(GuestNetwork.Repository, "src/hyphanet/bin/Debug/net10.0/hyphanet");
        Assert.Contains("\"9475\" is no value for --metrics", (await _network.Run("host", $"{program} --metrics 9475")).Errors);
        Outcome taken = await _network.Run("host", $"{program} attach --interface vguest --address 10.75.0.2/24 --gateway 10.75.0.1 --metrics 127.0.0.1:9475");
        Assert.Contains("metrics cannot be served at 127.0.0.1:9475: Address already in use", taken.Errors);
    }
}
