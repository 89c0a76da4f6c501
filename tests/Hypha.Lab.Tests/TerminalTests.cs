using static Hypha.Lab.Tests.HyphaHost;

namespace Hypha.Lab.Tests;

/// <summary>A person at a terminal: a shell, the size, Ctrl+C, leaving and coming back.</summary>
[Collection<BareHost>]
public sealed class TerminalTests(BareHost host)
{
    private const string Detach = "\u001d"; // Ctrl+]
    private const string Interrupt = "\u0003"; // Ctrl+C

    private LabTerminal Shell(string options, string before = "stty rows 33 cols 111") =>
        host.Terminal($"{before}; exec hyphactl launch --attach --insecure {options} {Busybox}");

    [Fact]
    public async Task A_shell_has_a_terminal_of_the_right_size_and_its_status_comes_back()
    {
        await using var terminal = Shell("--rm");
        await terminal.SeeAsync("# ");
        await terminal.TypeAsync("stty size; tty; echo $TERM; echo to-stderr >&2\r");
        await terminal.SeeAsync("33 111");
        await terminal.SeeAsync("/dev/pts/0");
        await terminal.SeeAsync("xterm");
        await terminal.SeeAsync("to-stderr");
        await terminal.TypeAsync("exit 3\r");
        Assert.Equal(3, await terminal.StatusAsync());
    }

    [Fact]
    public async Task A_terminal_that_changes_its_size_changes_the_container_s()
    {
        await using var terminal = Shell("--rm --name sized");
        await terminal.SeeAsync("# ");
        (await host.Run("stty -F $(readlink /proc/$(pgrep -f '^hyphactl launch.*sized')/fd/0) rows 41 cols 97")).Succeeded();
        await terminal.TypeAsync("sleep 1; stty size\r");
        await terminal.SeeAsync("41 97");
        await terminal.TypeAsync("exit\r");
        Assert.Equal(0, await terminal.StatusAsync());
    }

    [Fact]
    public async Task Ctrl_C_goes_to_the_container_s_foreground_process()
    {
        await using var terminal = Shell("--rm");
        await terminal.SeeAsync("# ");
        await terminal.TypeAsync("sleep 1000\r");
        await terminal.SeeAsync("sleep 1000");
        await Task.Delay(500);
        await terminal.TypeAsync(Interrupt);
        await terminal.SeeAsync("# ");
        await terminal.TypeAsync("echo status $?; exit\r");
        await terminal.SeeAsync("status 130");
        Assert.Equal(0, await terminal.StatusAsync());
    }

    [Fact]
    public async Task Who_detaches_can_come_back()
    {
        await using (var first = Shell("--name left"))
        {
            await first.SeeAsync("# ");
            await first.TypeAsync("mark=here\r");
            await first.SeeAsync("# ");
            await first.TypeAsync(Detach);
            await first.SeeAsync("detached");
            Assert.Equal(0, await first.StatusAsync());
        }
        (await host.Run("hyphactl list | grep left | grep -q Up")).Succeeded();
        await using (var second = host.Terminal("exec hyphactl attach left"))
        {
            await second.TypeAsync("\recho still $mark; exit 4\r");
            await second.SeeAsync("still here");
            Assert.Equal(4, await second.StatusAsync());
        }
        (await host.Run("hyphactl destroy left")).Succeeded();
    }

    [Fact]
    public async Task A_closed_terminal_and_a_killed_hyphactl_do_no_harm()
    {
        await using var closed = Shell("--name closed");
        await using var killed = Shell("--name killed");
        await closed.SeeAsync("# ");
        await killed.SeeAsync("# ");
        await closed.HangUpAsync();
        (await host.Run("pkill -9 -f '^hyphactl launch.*killed'; sleep 1; hyphactl list | grep closed | grep -q Up && hyphactl list | grep killed | grep -q Up")).Succeeded();
        foreach (string name in new[] { "closed", "killed" })
        {
            await using var again = host.Terminal($"exec hyphactl attach {name}");
            await again.TypeAsync("\recho alive; exit 5\r");
            await again.SeeAsync("alive");
            Assert.Equal(5, await again.StatusAsync());
            (await host.Run($"hyphactl destroy {name}")).Succeeded();
        }
    }
}
