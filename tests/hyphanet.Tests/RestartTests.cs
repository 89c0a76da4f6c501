namespace Hypha.NetworkDaemon.Tests;

public sealed class RestartTests
{
    [Fact]
    public async Task A_killed_gateway_comes_back_and_old_connections_are_reset()
    {
        await using var network = new GuestNetwork();
        await network.InitializeAsync();
        await network.Serve("world", "exec socat TCP-LISTEN:7,fork,reuseaddr EXEC:cat", 7);
        Task<Outcome> open = network.Run("guest", "exec 3<>/dev/tcp/192.0.2.2/7; echo before >&3; head -n 1 <&3 >answers; until [ -e restarted ]; do sleep 0.05; done; echo after >&3; cat <&3");
        await network.Run("guest", "until grep -q before answers; do sleep 0.05; done");
        await network.KillGateway();
        await network.StartGateway();
        await network.Run("guest", "touch restarted");
        Assert.Equal("new\n", (await network.Run("guest", "echo new | socat -t 5 - TCP:192.0.2.2:7")).Succeeded().Output);
        Assert.Contains("reset by peer", (await open).Errors);
    }

    [Fact]
    public async Task SIGTERM_ends_it_with_status_0_and_resets_what_is_open()
    {
        await using var network = new GuestNetwork();
        await network.InitializeAsync();
        await network.Serve("world", "exec socat TCP-LISTEN:7,fork,reuseaddr EXEC:cat", 7);
        Task<Outcome> open = network.Run("guest", "exec 3<>/dev/tcp/192.0.2.2/7; echo before >&3; head -n 1 <&3 >answers; cat <&3");
        await network.Run("guest", "until grep -q before answers; do sleep 0.05; done");
        await network.Run("host", $"kill -TERM {network.Gateway.Id}");
        await network.Gateway.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(0, network.Gateway.ExitCode);
        Assert.Contains("reset by peer", (await open).Errors);
    }
}
