using System.Security.Cryptography;
using Grpc.Core;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Tests;

public class AttachTests
{
    [Fact]
    public async Task Mebibytes_of_any_bytes_pass_both_ways_intact()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.LaunchAtOnce();
        byte[] received = [];
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync();
            received = await container.InputToEndAsync(container.StdoutAsync);
            await container.ExitAsync(0);
        };
        using var hyphactl = Hyphactl.Start(daemon, "launch", "--attach", "busybox", "cat");
        byte[] data = RandomNumberGenerator.GetBytes(8 * 1024 * 1024 + 13);
        await hyphactl.Input.WriteAsync(data);
        Assert.Equal(0, await hyphactl.EndAsync());
        Assert.True(data.AsSpan().SequenceEqual(received), "the container did not receive what was sent");
        Assert.True(data.AsSpan().SequenceEqual(hyphactl.StdoutBytes), "the container's bytes did not arrive");
        Assert.Equal("", hyphactl.Stderr);
    }

    [Fact]
    public async Task Standard_output_and_error_stay_apart_and_the_status_is_the_containers()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        LaunchRequest? launched = null;
        AttachOpen? open = null;
        daemon.LaunchAtOnce(request => launched = request);
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync();
            open = container.Open;
            await container.StdoutAsync("out");
            await container.StderrAsync("err");
            await container.ExitAsync(42);
        };
        using var hyphactl = Hyphactl.Start(daemon, "launch", "--attach", "busybox");
        Assert.Equal(42, await hyphactl.EndAsync());
        Assert.Equal("out", hyphactl.Stdout);
        Assert.Equal("err", hyphactl.Stderr);
        Assert.True(launched!.Attach && launched.Interactive && !launched.Terminal);
        Assert.Equal(new AttachOpen { Container = FakeDaemon.Id, FromStart = true, Input = true }, open);
    }

    [Fact]
    public async Task A_container_that_could_not_start_exits_127_and_says_why()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.LaunchAtOnce();
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync();
            await container.ExitAsync(127, "the image has no program \"nosuch\".");
        };
        using var hyphactl = Hyphactl.Start(daemon, "launch", "--attach", "busybox", "nosuch");
        Assert.Equal(127, await hyphactl.EndAsync());
        Assert.Equal("hyphactl: the image has no program \"nosuch\".\n", hyphactl.Stderr);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(15)]
    [InlineData(10)]
    public async Task A_signal_without_a_terminal_goes_on_to_the_container(int signal)
    {
        await using var daemon = await FakeDaemon.StartAsync();
        var signalled = new TaskCompletionSource<SignalRequest>();
        daemon.OnSignal = request =>
        {
            signalled.SetResult(request);
            return new SignalResponse();
        };
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync();
            await container.StdoutAsync("ready");
            var request = await signalled.Task;
            await container.ExitAsync(128 + request.Signal);
        };
        using var hyphactl = Hyphactl.Start(daemon, "attach", "web");
        await hyphactl.UntilAsync(program => program.Stdout == "ready");
        hyphactl.Signal(signal);
        Assert.Equal(128 + signal, await hyphactl.ExitAsync());
        Assert.Equal(new SignalRequest { Container = "web", Signal = (uint)signal }, await signalled.Task);
    }

    [Fact]
    public async Task A_second_signal_leaves_when_the_first_is_not_answered()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        using var release = new ManualResetEventSlim();
        var signalled = new TaskCompletionSource();
        daemon.OnSignal = _ =>
        {
            signalled.TrySetResult();
            release.Wait();
            return new SignalResponse();
        };
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync();
            await container.StdoutAsync("ready");
            await container.NextAsync();
        };
        using var hyphactl = Hyphactl.Start(daemon, "attach", "web");
        await hyphactl.UntilAsync(program => program.Stdout == "ready");
        hyphactl.Signal(2);
        await signalled.Task.WaitAsync(TimeSpan.FromSeconds(60));
        hyphactl.Signal(2);
        Assert.Equal(130, await hyphactl.ExitAsync());
        release.Set();
        Assert.Contains("hyphactl attach web", hyphactl.Stderr);
    }

    [Fact]
    public async Task A_hang_up_leaves_the_container_alone()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync();
            await container.StdoutAsync("ready");
            await container.NextAsync();
        };
        using var hyphactl = Hyphactl.Start(daemon, "attach", "web");
        await hyphactl.UntilAsync(program => program.Stdout == "ready");
        hyphactl.Signal(1);
        Assert.Equal(129, await hyphactl.ExitAsync());
    }

    [Fact]
    public async Task A_daemon_that_dies_is_told_and_exits_125()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync();
            await container.StdoutAsync("ready");
            await container.NextAsync();
        };
        using var hyphactl = Hyphactl.Start(daemon, "attach", "web");
        await hyphactl.UntilAsync(program => program.Stdout == "ready");
        await daemon.DieAsync();
        Assert.Equal(125, await hyphactl.ExitAsync());
        Assert.Contains("hyphactl attach web", hyphactl.Stderr);
        Assert.DoesNotContain("   at ", hyphactl.Stderr);
    }

    [Fact]
    public async Task A_reader_that_goes_ends_it_quietly()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnAttach = async (requests, events, context) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync();
            byte[] block = new byte[64 * 1024];
            while (!context.CancellationToken.IsCancellationRequested)
                await container.StdoutAsync(block);
        };
        string program = string.Join(' ', Hyphactl.Program);
        using var shell = Hyphactl.StartShell(daemon, $"({program} attach web; echo $? >&2) | head -c 10 >/dev/null");
        Assert.Equal(0, await shell.EndAsync());
        Assert.Equal("141\n", shell.Stderr);
    }

    [Fact]
    public async Task Attach_to_what_is_not_there_says_so()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnAttach = (_, _, _) => throw new RpcException(new Status(StatusCode.NotFound, "there is no container \"web\"."));
        using var hyphactl = Hyphactl.Start(daemon, "attach", "web");
        Assert.Equal(125, await hyphactl.EndAsync());
        Assert.Equal("hyphactl: cannot attach to web: there is no container \"web\".\n", hyphactl.Stderr);
    }
}
