using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Tests;

public class ListTests
{
    private static readonly DateTimeOffset Started = DateTimeOffset.UtcNow - TimeSpan.FromMinutes(190);

    private static readonly Container Running = new()
    {
        Id = FakeDaemon.Id,
        Name = "web",
        Image = "registry.local:5000/web:2",
        State = ContainerState.Running,
        Domain = 7,
        Command = { "sh", "-c", "a [red]\nb" },
        CreatedUnixMs = Started.ToUnixTimeMilliseconds(),
        StartedUnixMs = Started.ToUnixTimeMilliseconds(),
        Vcpus = 2,
        MemoryMib = 512,
    };

    private static readonly Container Exited = new()
    {
        Id = "00000000-0000-4000-8000-000000000002",
        Image = "busybox",
        State = ContainerState.Exited,
        FinishedUnixMs = Started.ToUnixTimeMilliseconds(),
        Exit = new ExitStatus { Code = 3 },
        CreatedUnixMs = long.MaxValue, // a broken daemon's
    };

    [Fact]
    public async Task A_table_has_a_line_a_container_even_for_a_command_of_several_lines()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnList = request => new ListResponse { Containers = { Running, request.All ? Exited : Running } };
        using var hyphactl = Hyphactl.Start(daemon, "list", "-a");
        Assert.Equal(0, await hyphactl.EndAsync());
        string[] lines = hyphactl.Stdout.TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Matches("^ID +NAME +IMAGE +STATUS +COMMAND +CREATED +CPUS +MEMORY +DOMAIN$", lines[0]);
        Assert.Matches(@"^4f1c2b3a0000 +web +registry.local:5000/web:2 +Up 3 hours +sh -c a \[red\] b +3 hours ago +2 +512 MiB +7$", lines[1]);
        Assert.Contains("Exited (3) 3 hours ago", lines[2]);
    }

    [Fact]
    public async Task Quiet_prints_what_destroy_takes()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnList = _ => new ListResponse { Containers = { Running } };
        using var hyphactl = Hyphactl.Start(daemon, "list", "-q");
        Assert.Equal(0, await hyphactl.EndAsync());
        Assert.Equal(FakeDaemon.Id + "\n", hyphactl.Stdout);
    }

    [Fact]
    public async Task Json_is_an_array_with_names_in_camel_case()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnList = _ => new ListResponse { Containers = { Running, Exited } };
        using var hyphactl = Hyphactl.Start(daemon, "list", "-a", "--output", "json");
        Assert.Equal(0, await hyphactl.EndAsync());
        using var json = JsonDocument.Parse(hyphactl.Stdout);
        var running = json.RootElement[0];
        Assert.Equal("running", running.GetProperty("state").GetString());
        Assert.Equal(512, running.GetProperty("memoryMib").GetInt32());
        Assert.Equal("a [red]\nb", running.GetProperty("command")[2].GetString());
        Assert.False(running.TryGetProperty("exit", out _));
        Assert.Equal(3, json.RootElement[1].GetProperty("exit").GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task Destroy_goes_on_after_one_that_fails()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnDestroy = request => request.Container == "b"
            ? throw new RpcException(new Status(StatusCode.NotFound, "there is no container \"b\"."))
            : new DestroyResponse { Id = request.Container };
        using var hyphactl = Hyphactl.Start(daemon, "destroy", "a", "b", "c");
        Assert.Equal(1, await hyphactl.EndAsync());
        Assert.Equal("a\nc\n", hyphactl.Stdout);
        Assert.Equal("hyphactl: cannot destroy b: there is no container \"b\".\n", hyphactl.Stderr);
    }

    [Fact]
    public async Task Destroy_all_takes_every_container_that_is_listed()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        var destroyed = new List<string>();
        daemon.OnList = request => new ListResponse { Containers = { request.All ? [Running, Exited] : [] } };
        daemon.OnDestroy = request =>
        {
            destroyed.Add(request.Container);
            return new DestroyResponse();
        };
        using var hyphactl = Hyphactl.Start(daemon, "destroy", "--all");
        Assert.Equal(0, await hyphactl.EndAsync());
        Assert.Equal([Running.Id, Exited.Id], destroyed);
    }

    [Fact]
    public async Task Wait_prints_the_status_and_kill_takes_names_of_signals()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnWait = _ => new WaitResponse { Exit = new ExitStatus { Code = 137, Signal = 9 } };
        SignalRequest? signal = null;
        daemon.OnSignal = request =>
        {
            signal = request;
            return new SignalResponse();
        };
        using var wait = Hyphactl.Start(daemon, "wait", "web");
        Assert.Equal(0, await wait.EndAsync());
        Assert.Equal("137\n", wait.Stdout);
        using var kill = Hyphactl.Start(daemon, "kill", "-s", "sigusr1", "web");
        Assert.Equal(0, await kill.EndAsync());
        Assert.Equal(new SignalRequest { Container = "web", Signal = 10 }, signal);
    }

    [Fact]
    public async Task Logs_keep_the_streams_apart_and_the_bytes_as_they_are()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        byte[] bytes = [0, 0xff, 0xfe, (byte)'\r', 0x1b, 0x1d];
        daemon.OnLogs = async (_, events) =>
        {
            await events.WriteAsync(new AttachEvent { Stdout = ByteString.CopyFrom(bytes) });
            await events.WriteAsync(new AttachEvent { Stderr = ByteString.CopyFromUtf8("oops") });
        };
        using var hyphactl = Hyphactl.Start(daemon, "logs", "web");
        Assert.Equal(0, await hyphactl.EndAsync());
        Assert.Equal(bytes, hyphactl.StdoutBytes);
        Assert.Equal("oops", hyphactl.Stderr);
    }

    [Fact]
    public async Task Host_check_fails_with_advice_when_something_lacks()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnHostCheck = () => new HostCheckResponse
        {
            Checks = { new Check { Name = "Xen", Ok = true, Detail = "4.17" }, new Check { Name = "loop", Detail = "no loop devices", Advice = "modprobe loop" } },
        };
        using var hyphactl = Hyphactl.Start(daemon, "host", "check");
        Assert.Equal(1, await hyphactl.EndAsync());
        Assert.Contains("ok       Xen", hyphactl.Stdout);
        Assert.Contains("missing  loop", hyphactl.Stdout);
        Assert.Contains("modprobe loop", hyphactl.Stdout);
    }

    [Fact]
    public async Task Host_check_without_hyphad_checks_what_it_can_and_says_that_hyphad_lacks()
    {
        using var hyphactl = Hyphactl.Start("/nonexistent/hyphad.sock", "host", "check");
        Assert.Equal(1, await hyphactl.EndAsync());
        Assert.Contains("/dev/xen/privcmd", hyphactl.Stdout);
        Assert.Matches("(?m)^missing  hyphad ", hyphactl.Stdout);
    }

    [Fact]
    public async Task Completion_knows_commands_and_containers()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnList = _ => new ListResponse { Containers = { Running, Exited } };
        using var commands = Hyphactl.Start(daemon, "[suggest:11]", "hyphactl la");
        Assert.Equal(0, await commands.EndAsync());
        Assert.Equal("launch\n", commands.Stdout);
        using var containers = Hyphactl.Start(daemon, "[suggest:18]", "hyphactl attach we");
        Assert.Equal(0, await containers.EndAsync());
        Assert.Equal("web\n", containers.Stdout);
    }

    [Fact]
    public async Task An_older_hyphad_is_named_as_the_cause()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        using var hyphactl = Hyphactl.Start(daemon, "list");
        Assert.Equal(1, await hyphactl.EndAsync());
        Assert.Contains("older than hyphactl", hyphactl.Stderr);
    }
}
