using Hypha.Protocol.Control;

namespace Hypha.Ctl.Tests;

/// <summary>On a real pseudo-terminal, which script(1) makes.</summary>
public class TerminalTests
{
    private const string Size = "stty rows 30 cols 100; before=$(stty -g); ";
    private const string Compare = "; status=$?; test \"$before\" = \"$(stty -g)\" && echo same mode; exit $status";

    [Fact]
    public async Task On_a_terminal_the_container_gets_one_with_its_size_and_every_key()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        LaunchRequest? launched = null;
        TerminalSize? size = null;
        string keys = "";
        daemon.LaunchAtOnce(request => launched = request);
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync(terminal: true);
            size = (await container.NextAsync(AttachRequest.RequestOneofCase.Resize)).Resize;
            await container.StdoutAsync("prompt$ ");
            while (keys.Length < 4)
                keys += (await container.NextAsync(AttachRequest.RequestOneofCase.Input)).Input.ToStringUtf8();
            await container.StdoutAsync("\r\nbye\r\n");
            await container.ExitAsync(7);
        };
        using var terminal = Hyphactl.StartOnTerminal(daemon, Size + "$HYPHACTL launch --attach debian:12" + Compare);
        await terminal.UntilAsync(program => program.Stdout.Contains("prompt$ ", StringComparison.Ordinal));
        await terminal.TypeAsync("a\u0003\r\u0004"); // Ctrl+C, Enter and Ctrl+D are the container's
        Assert.Equal(7, await terminal.ExitAsync());
        Assert.Equal("a\u0003\r\u0004", keys);
        Assert.True(launched!.Terminal && launched.Interactive && launched.Attach);
        Assert.Equal((100u, 30u), (launched.Columns, launched.Rows));
        Assert.Equal("xterm", launched.Term);
        Assert.Equal(new TerminalSize { Columns = 100, Rows = 30 }, size);
        Assert.Contains("same mode", terminal.Stdout);
        // Keys are echoed by the container's terminal alone.
        Assert.Contains("prompt$ \r\nbye\r\n", terminal.Stdout);
        // And no byte of hyphactl's own comes in between: no switch of the terminal's modes, above all.
        Assert.StartsWith("prompt$ ", terminal.Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_detach_key_leaves_the_container_and_says_how_to_come_back()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.LaunchAtOnce();
        var left = new TaskCompletionSource();
        AttachRequest? input = null;
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync(terminal: true);
            await container.StdoutAsync("prompt$ ");
            input = await container.NextAsync(AttachRequest.RequestOneofCase.Input);
            while (await container.NextAsync() is not null)
            {
            }
            left.SetResult();
        };
        using var terminal = Hyphactl.StartOnTerminal(daemon, Size + "$HYPHACTL launch --attach --name web debian:12" + Compare);
        await terminal.UntilAsync(program => program.Stdout.Contains("prompt$ ", StringComparison.Ordinal));
        await terminal.TypeAsync("ab\u001dcd");
        Assert.Equal(0, await terminal.ExitAsync());
        await left.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("ab", input!.Input.ToStringUtf8());
        Assert.Contains("hyphactl attach web", terminal.Stdout);
        Assert.Contains("same mode", terminal.Stdout);
    }

    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("HUP", 129)]
    public async Task A_signal_that_ends_it_gives_the_terminal_its_mode_back(string signal, int exitCode)
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync(terminal: true);
            await container.StdoutAsync("prompt$ ");
            await container.NextAsync(AttachRequest.RequestOneofCase.Input);
            await container.StdoutAsync("seen ");
            await container.NextAsync(AttachRequest.RequestOneofCase.CloseInput);
        };
        // exec keeps the shell's pid, which the test must know.
        using var terminal = Hyphactl.StartOnTerminal(daemon,
            Size + "sh -c 'echo pid=$$; exec $HYPHACTL attach web'" + Compare);
        await terminal.UntilAsync(program => program.Stdout.Contains("prompt$ ", StringComparison.Ordinal));
        await terminal.TypeAsync("x");
        await terminal.UntilAsync(program => program.Stdout.Contains("seen ", StringComparison.Ordinal));
        string pid = new([.. terminal.Stdout[(terminal.Stdout.IndexOf("pid=", StringComparison.Ordinal) + 4)..].TakeWhile(char.IsAsciiDigit)]);
        using (var kill = System.Diagnostics.Process.Start("kill", [$"-{signal}", pid]))
            await kill.WaitForExitAsync();
        Assert.Equal(exitCode, await terminal.ExitAsync());
        Assert.Contains("same mode", terminal.Stdout);
    }

    [Fact]
    public async Task A_daemon_that_dies_gives_the_terminal_its_mode_back()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync(terminal: true);
            await container.StdoutAsync("prompt$ ");
            await container.NextAsync(AttachRequest.RequestOneofCase.CloseInput);
        };
        using var terminal = Hyphactl.StartOnTerminal(daemon, Size + "$HYPHACTL attach web" + Compare);
        await terminal.UntilAsync(program => program.Stdout.Contains("prompt$ ", StringComparison.Ordinal));
        await daemon.DieAsync();
        Assert.Equal(125, await terminal.ExitAsync());
        Assert.Contains("same mode", terminal.Stdout);
    }

    [Fact]
    public async Task A_changed_window_is_told_to_the_container()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        TerminalSize? size = null;
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync(terminal: true);
            await container.NextAsync(AttachRequest.RequestOneofCase.Resize);
            await container.StdoutAsync("prompt$ ");
            // stty sets rows and columns one after the other.
            while (size is not { Columns: 120 })
                size = (await container.NextAsync(AttachRequest.RequestOneofCase.Resize)).Resize;
            await container.ExitAsync(0);
        };
        string fifo = daemon.Socket + ".fifo";
        using var terminal = Hyphactl.StartOnTerminal(daemon,
            $"{Size} mkfifo {fifo}; (read _ < {fifo}; stty -F /dev/tty rows 50 cols 120) & $HYPHACTL attach web{Compare}");
        await terminal.UntilAsync(program => program.Stdout.Contains("prompt$ ", StringComparison.Ordinal));
        await File.WriteAllTextAsync(fifo, "now\n");
        Assert.Equal(0, await terminal.ExitAsync());
        Assert.Equal(new TerminalSize { Columns = 120, Rows = 50 }, size);
    }

    [Fact]
    public async Task Progress_shows_on_a_terminal_and_is_wiped_before_the_result()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        var seen = new TaskCompletionSource();
        daemon.OnLaunch = async (_, events, _) =>
        {
            var download = new Progress { Step = "download", Detail = "web [2]", Done = 5 << 20, Total = 40 << 20 };
            await events.WriteAsync(new LaunchEvent { Progress = download });
            await seen.Task;
            await events.WriteAsync(new LaunchEvent { Launched = new Launched { Id = FakeDaemon.Id } });
        };
        using var terminal = Hyphactl.StartOnTerminal(daemon, Size + "$HYPHACTL launch web" + Compare);
        await terminal.UntilAsync(program => program.Stdout.Contains("5.0 MiB of 40.0 MiB", StringComparison.Ordinal));
        seen.SetResult();
        Assert.Equal(0, await terminal.ExitAsync());
        Assert.Contains("download web [2]", terminal.Stdout);
        Assert.Matches($"\u001b\\[\\?25h[^\\n]*{FakeDaemon.Id}\r\nsame mode\r\n$", terminal.Stdout); // the cursor is back
    }

    [Fact]
    public async Task With_output_into_a_pipe_there_is_no_terminal()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        LaunchRequest? launched = null;
        daemon.LaunchAtOnce(request => launched = request);
        daemon.OnAttach = async (requests, events, _) =>
        {
            var container = new FakeContainer(requests, events);
            await container.BeginAsync();
            await container.StdoutAsync("a\nb\n");
            await container.ExitAsync(0);
        };
        using var terminal = Hyphactl.StartOnTerminal(daemon, "$HYPHACTL launch --attach busybox | od -An -c");
        Assert.Equal(0, await terminal.ExitAsync());
        Assert.True(launched!.Interactive && !launched.Terminal);
        Assert.Contains("a  \\n   b  \\n", terminal.Stdout);
    }
}
