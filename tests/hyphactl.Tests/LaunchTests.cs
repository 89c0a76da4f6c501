using Grpc.Core;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Tests;

public class LaunchTests
{
    [Fact]
    public async Task A_detached_launch_prints_the_UUID_alone()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.LaunchAtOnce();
        using var hyphactl = Hyphactl.Start(daemon, "launch", "busybox");
        Assert.Equal(0, await hyphactl.EndAsync());
        Assert.Equal(FakeDaemon.Id + "\n", hyphactl.Stdout);
        Assert.Equal("", hyphactl.Stderr);
    }

    [Fact]
    public async Task Options_after_the_image_belong_to_the_command()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        LaunchRequest? request = null;
        daemon.LaunchAtOnce(seen => request = seen);
        string[] command = ["ls", "-l", "--attach", "--rm", "-m", "1", "--", "--help", "[x]", "@y", "-e=1", ""];
        using var hyphactl = Hyphactl.Start(daemon, ["launch", "--name", "n", "busybox", .. command]);
        Assert.Equal(0, await hyphactl.EndAsync());
        Assert.Equal("busybox", request!.Image);
        Assert.Equal(command, request.Command);
        Assert.False(request.Attach || request.AutoRemove);
        Assert.Equal("n", request.Name);
    }

    [Fact]
    public async Task Every_option_reaches_hyphad()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        LaunchRequest? request = null;
        daemon.LaunchAtOnce(seen => request = seen);
        string rules = Path.GetTempFileName();
        await File.WriteAllTextAsync(rules, "default deny\n");
        using var hyphactl = Hyphactl.Start(daemon, "launch", "--network", "default", "--ip", "10.75.0.9", "--ip6", "fd75::9", "--mac", "02:00:00:00:00:09", "-p", "8080:80",
            "-p", "53:53/udp", "--dns", "192.0.2.53", "--add-host", "a:192.0.2.1", "--policy", rules, "-it", "-k", "/k", "-r", "/r", "-c", "4", "-m", "2G", "-e", "A=1", "-e", "B=x=y", "-e", "HYPHA_SOCKET",
            "-e", "NOT_SET_HERE", "--name", "web", "--hostname", "h", "-w", "/srv", "-u", "1000:1000", "--entrypoint", "", "--rm", "--insecure",
            "--append", "quiet loglevel=7", "--debug", "-q", "registry.local:5000/web:2", "run");
        Assert.Equal(0, await hyphactl.EndAsync());
        var expected = new LaunchRequest
        {
            Image = "registry.local:5000/web:2",
            Command = { "run" },
            Network = "default",
            Ip = "10.75.0.9",
            Ip6 = "fd75::9",
            Mac = "02:00:00:00:00:09",
            Publish = { "8080:80", "53:53/udp" },
            Dns = { "192.0.2.53" },
            AddHost = { "a:192.0.2.1" },
            Policy = "default deny\n",
            Kernel = "/k",
            Initrd = "/r",
            Vcpus = 4,
            MemoryMib = 2048,
            Env = { "A=1", "B=x=y", $"HYPHA_SOCKET={daemon.Socket}" },
            Name = "web",
            Hostname = "h",
            Workdir = "/srv",
            User = "1000:1000",
            Entrypoint = "",
            Interactive = true,
            Terminal = true,
            AutoRemove = true,
            Debug = true,
            Insecure = true,
            Append = "quiet loglevel=7",
            Term = Environment.GetEnvironmentVariable("TERM") ?? "",
            Id = request!.Id,
        };
        Assert.Equal(expected, request);
    }

    [Fact]
    public async Task What_was_not_given_is_left_to_hyphad()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        LaunchRequest? request = null;
        daemon.LaunchAtOnce(seen => request = seen);
        using var hyphactl = Hyphactl.Start(daemon, "launch", "busybox");
        Assert.Equal(0, await hyphactl.EndAsync());
        Assert.Equal(new LaunchRequest { Image = "busybox", Term = Environment.GetEnvironmentVariable("TERM") ?? "", Id = request!.Id }, request);
        Assert.False(request.HasEntrypoint);
    }

    [Fact]
    public async Task A_failed_launch_says_what_hyphad_says_and_exits_125()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnLaunch = (_, _, _) => throw new RpcException(new Status(StatusCode.NotFound, "registry.local has no image \"web\" with the tag \"2\". Check the name."));
        using var hyphactl = Hyphactl.Start(daemon, "launch", "--attach", "registry.local/web:2");
        Assert.Equal(125, await hyphactl.EndAsync());
        Assert.Equal("hyphactl: cannot launch registry.local/web:2: registry.local has no image \"web\" with the tag \"2\". Check the name.\n", hyphactl.Stderr);
        Assert.Equal("", hyphactl.Stdout);
    }

    [Theory]
    [InlineData(2, 130)]
    [InlineData(15, 143)]
    public async Task A_signal_before_the_container_runs_cancels_the_launch(int signal, int exitCode)
    {
        await using var daemon = await FakeDaemon.StartAsync();
        var begun = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        string launched = "", destroyed = "";
        daemon.OnDestroy = request =>
        {
            destroyed = request.Container;
            throw new RpcException(new Status(StatusCode.NotFound, "there is none."));
        };
        daemon.OnLaunch = async (request, events, context) =>
        {
            launched = request.Id;
            await events.WriteAsync(new LaunchEvent { Progress = new Progress { Step = "download", Detail = "busybox", Done = 1, Total = 100 } });
            begun.SetResult();
            using var registration = context.CancellationToken.Register(cancelled.SetResult);
            await cancelled.Task;
        };
        using var hyphactl = Hyphactl.Start(daemon, "launch", "busybox");
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(60));
        hyphactl.Signal(signal);
        Assert.Equal(exitCode, await hyphactl.EndAsync());
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("hyphactl: the launch was cancelled.\n", hyphactl.Stderr);
        // hyphad was asked until it had undone it, or removed what was just launched.
        Assert.True(Guid.TryParse(launched, out _));
        Assert.Equal(launched, destroyed);
    }

    [Fact]
    public async Task Timing_prints_the_phases_on_standard_error()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnLaunch = (_, events, _) => events.WriteAsync(new LaunchEvent
        {
            Launched = new Launched { Id = FakeDaemon.Id, Phases = { new Phase { Name = "image", Microseconds = 250 }, new Phase { Name = "build", Microseconds = 81_234 } } },
        });
        using var hyphactl = Hyphactl.Start(daemon, "launch", "--timing", "busybox");
        Assert.Equal(0, await hyphactl.EndAsync());
        Assert.Equal(FakeDaemon.Id + "\n", hyphactl.Stdout);
        Assert.Contains("build", hyphactl.Stderr);
        Assert.Contains("81.2 ms", hyphactl.Stderr);
        Assert.Contains("250 µs", hyphactl.Stderr);
    }

    [Theory]
    [InlineData("-m", "1x")]
    [InlineData("-m", "0")]
    [InlineData("-c", "two")]
    [InlineData("-e", "=v")]
    [InlineData("--no-such-option", "x")]
    public async Task A_wrong_command_line_exits_2_and_points_to_the_help(string option, string value)
    {
        using var hyphactl = Hyphactl.Start("/nonexistent", "launch", option, value, "busybox");
        Assert.Equal(2, await hyphactl.EndAsync());
        Assert.StartsWith("hyphactl: ", hyphactl.Stderr, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", hyphactl.Stderr);
    }

    [Fact]
    public async Task Without_hyphad_it_says_how_to_start_it()
    {
        using var hyphactl = Hyphactl.Start("/nonexistent/hyphad.sock", "launch", "busybox");
        Assert.Equal(125, await hyphactl.EndAsync());
        Assert.Contains("hyphad is not running", hyphactl.Stderr);
        Assert.Contains("systemctl start hyphad", hyphactl.Stderr);
        Assert.Single(hyphactl.Stderr.TrimEnd().Split('\n'));
    }
}
