using System.Text.Json;
using Grpc.Core;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Tests;

public class NetworkTests
{
    private static readonly Network s_default = new() { Name = "default", Subnet = "10.75.0.0/16", Subnet6 = "fd75::/64", Gateway = "10.75.0.1", Gateway6 = "fd75::1", Size = 2 };

    private static readonly Network s_back = new()
    {
        Name = "back",
        Subnet = "10.76.0.0/24",
        Subnet6 = "fd75:1::/64",
        Gateway = "10.76.0.1",
        Gateway6 = "fd75:1::1",
        Internal = true,
        CreatedUnixMs = 1_780_000_000_000,
        Size = 1,
    };

    [Fact]
    public async Task Create_asks_for_what_was_given_and_prints_the_name()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        var seen = new List<CreateNetworkRequest>();
        daemon.OnCreateNetwork = request =>
        {
            seen.Add(request);
            return new CreateNetworkResponse { Network = s_back };
        };
        using var plain = Hyphactl.Start(daemon, "network", "create", "back");
        Assert.Equal(0, await plain.EndAsync());
        Assert.Equal("back\n", plain.Stdout);
        using var given = Hyphactl.Start(daemon, "network", "create", "--internal", "back", "--subnet", "10.9.0.0/24", "--subnet6", "fd00:9::/64");
        Assert.Equal(0, await given.EndAsync());
        Assert.Equal([new() { Name = "back" }, new() { Name = "back", Subnet = "10.9.0.0/24", Subnet6 = "fd00:9::/64", Internal = true }], seen);
    }

    [Fact]
    public async Task A_refusal_says_what_and_why()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnCreateNetwork = _ => throw new RpcException(new Status(StatusCode.AlreadyExists, "there is a network \"back\" already."));
        using var hyphactl = Hyphactl.Start(daemon, "network", "create", "back");
        Assert.Equal(1, await hyphactl.EndAsync());
        Assert.Equal("hyphactl: cannot make the network back: there is a network \"back\" already.\n", hyphactl.Stderr);
    }

    [Fact]
    public async Task List_is_a_table_names_or_JSON()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnListNetworks = () => new ListNetworksResponse { Networks = { s_default, s_back } };
        using var table = Hyphactl.Start(daemon, "network", "list");
        Assert.Equal(0, await table.EndAsync());
        string[] lines = table.Stdout.Split('\n');
        Assert.Matches("^NAME +SUBNET +SUBNET6 +WAY OUT +CONTAINERS$", lines[0]);
        Assert.Matches("^default +10.75.0.0/16 +fd75::/64 +yes +2$", lines[1]);
        Assert.Matches("^back +10.76.0.0/24 +fd75:1::/64 +no +1$", lines[2]);
        using var names = Hyphactl.Start(daemon, "network", "ls", "-q");
        Assert.Equal(0, await names.EndAsync());
        Assert.Equal("default\nback\n", names.Stdout);
        using var json = Hyphactl.Start(daemon, "network", "list", "-o", "json");
        Assert.Equal(0, await json.EndAsync());
        JsonElement back = JsonDocument.Parse(json.Stdout).RootElement[1];
        Assert.Equal(("back", true, 1, "2026-05-28T20:26:40+00:00"),
            (back.GetProperty("name").GetString(), back.GetProperty("internal").GetBoolean(), back.GetProperty("containers").GetInt32(), back.GetProperty("created").GetString()));
        Assert.False(JsonDocument.Parse(json.Stdout).RootElement[0].TryGetProperty("created", out _));
    }

    [Fact]
    public async Task Inspect_shows_the_network_and_its_members()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnInspectNetwork = request =>
        {
            Network network = s_back.Clone();
            network.Name = request.Network;
            network.Members.Add(new NetworkMember { Id = FakeDaemon.Id, Name = "web", Address = "10.76.0.2", Address6 = "fd75:1::2", Mac = "02:75:0a:4c:00:02", State = ContainerState.Running });
            return new InspectNetworkResponse { Network = network };
        };
        using var text = Hyphactl.Start(daemon, "network", "inspect", "back");
        Assert.Equal(0, await text.EndAsync());
        Assert.Contains("subnets   10.76.0.0/24, fd75:1::/64\ngateways  10.76.0.1, fd75:1::1\nway out   no\n", text.Stdout);
        Assert.Matches("(?m)^4f1c2b3a0000 +web +10.76.0.2 +fd75:1::2 +02:75:0a:4c:00:02 +running$", text.Stdout);
        using var json = Hyphactl.Start(daemon, "network", "inspect", "back", "--output", "json");
        Assert.Equal(0, await json.EndAsync());
        JsonElement member = JsonDocument.Parse(json.Stdout).RootElement.GetProperty("members")[0];
        Assert.Equal((FakeDaemon.Id, "02:75:0a:4c:00:02", "running"), (member.GetProperty("id").GetString(), member.GetProperty("mac").GetString(), member.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task Remove_goes_on_after_one_that_is_in_use_and_fails_in_the_end()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnRemoveNetwork = request => request.Network == "front" ? new RemoveNetworkResponse()
            : throw new RpcException(new Status(StatusCode.FailedPrecondition, "web has a place on it."));
        using var hyphactl = Hyphactl.Start(daemon, "network", "rm", "back", "front");
        Assert.Equal(1, await hyphactl.EndAsync());
        Assert.Equal("front\n", hyphactl.Stdout);
        Assert.Equal("hyphactl: cannot remove the network back: web has a place on it.\n", hyphactl.Stderr);
    }

    [Fact]
    public async Task Connect_prints_the_addresses_and_disconnect_nothing()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        ConnectNetworkRequest? connect = null;
        daemon.OnConnectNetwork = request =>
        {
            connect = request;
            return new ConnectNetworkResponse { Address = "10.76.0.9", Address6 = "fd75:1::9" };
        };
        using var connected = Hyphactl.Start(daemon, "network", "connect", "back", "web", "--ip", "10.76.0.9", "--ip6", "fd75:1::9");
        Assert.Equal(0, await connected.EndAsync());
        Assert.Equal("10.76.0.9 fd75:1::9\n", connected.Stdout);
        Assert.Equal(new() { Network = "back", Container = "web", Ip = "10.76.0.9", Ip6 = "fd75:1::9" }, connect);

        daemon.OnDisconnectNetwork = request => request.Equals(new DisconnectNetworkRequest { Network = "back", Container = "web" }) ? new DisconnectNetworkResponse()
            : throw new RpcException(new Status(StatusCode.FailedPrecondition, "it is on the network \"back\"."));
        using var disconnected = Hyphactl.Start(daemon, "network", "disconnect", "back", "web");
        Assert.Equal(0, await disconnected.EndAsync());
        Assert.Equal("", disconnected.Stdout);
        using var refused = Hyphactl.Start(daemon, "network", "disconnect", "default", "web");
        Assert.Equal(1, await refused.EndAsync());
        Assert.Equal("hyphactl: cannot disconnect web from the network default: it is on the network \"back\".\n", refused.Stderr);
    }

    [Fact]
    public async Task Completion_knows_networks()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnListNetworks = () => new ListNetworksResponse { Networks = { s_default, s_back } };
        string line = "hyphactl network rm ba";
        using var remove = Hyphactl.Start(daemon, $"[suggest:{line.Length}]", line);
        Assert.Equal(0, await remove.EndAsync());
        Assert.Equal("back\n", remove.Stdout);
        line = "hyphactl launch --network n";
        using var launch = Hyphactl.Start(daemon, $"[suggest:{line.Length}]", line);
        Assert.Equal(0, await launch.EndAsync());
        Assert.Equal("none\n", launch.Stdout);
    }
}
