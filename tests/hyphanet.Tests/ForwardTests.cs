namespace Hypha.NetworkDaemon.Tests;

/// <summary>Ports that lead to a guest while somebody wants them.</summary>
public sealed class ForwardTests : IAsyncLifetime
{
    private readonly WatchedNetwork _network = new();

    public async ValueTask InitializeAsync()
    {
        await _network.InitializeAsync();
        await _network.Serve("guest", "exec socat TCP-LISTEN:80,fork,reuseaddr SYSTEM:'echo forwarded'", 80);
    }

    public ValueTask DisposeAsync() => _network.DisposeAsync();

    private Task<Outcome> Forward(string script) =>
        _network.Run("host", $"export HYPHA_NETWORK_SOCKET={_network.Control}; forward() {{ exec {WatchedNetwork.Hyphactl} forward vguest \"$@\"; }}; {script}");

    [Fact]
    public async Task A_port_leads_to_the_guest_until_the_command_ends()
    {
        Outcome outcome = (await Forward("""
            forward 8088:80 9001-9002:80-81 >out & command=$!
            until grep -q 9001 out; do sleep 0.05; done
            socat -t 10 TCP:127.0.0.1:8088 - </dev/null; socat -t 10 TCP:127.0.0.1:9001 - </dev/null
            socat -u TCP:192.0.2.1:8088,connect-timeout=5 - || echo loopback alone
            kill -9 $command
            for i in $(seq 100); do socat -u TCP:127.0.0.1:8088 - >/dev/null 2>&1 || { echo closed; break; }; sleep 0.05; done
            """)).Succeeded();
        Assert.Equal("forwarded\nforwarded\nloopback alone\nclosed\n", outcome.Output);
    }

    [Fact]
    public async Task What_cannot_be_forwarded_is_said_and_nothing_of_it_stays()
    {
        await _network.Serve("host", "exec socat TCP-LISTEN:8090,bind=127.0.0.1,fork,reuseaddr EXEC:cat", 8090);
        Outcome taken = await Forward("forward 8089-8090:80-81");
        Assert.NotEqual(0, taken.Status);
        Assert.Contains("8090", taken.Errors);
        Assert.Contains("refused", (await _network.Run("host", "socat -u TCP:127.0.0.1:8089 -")).Errors);
        Assert.Contains("has not the form", (await Forward("forward 53:53/udp")).Errors);
        Assert.Contains("has not the form", (await Forward("forward nonsense")).Errors);
    }
}
