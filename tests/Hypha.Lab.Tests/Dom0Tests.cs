namespace Hypha.Lab.Tests;

/// <summary>The lab itself: what the other tests take for granted.</summary>
public sealed class Dom0Tests(Dom0Tests.WithTools lab) : IClassFixture<Dom0Tests.WithTools>
{
    public sealed class WithTools() : Lab("--xen-tools");

    [Fact]
    public async Task Dom0_runs_on_Xen_4_17() =>
        Assert.Equal("xen 4.17\n", (await lab.Run(
            "echo $(cat /sys/hypervisor/type) $(cat /sys/hypervisor/version/major).$(cat /sys/hypervisor/version/minor)")).Succeeded().Output);

    [Fact]
    public async Task A_command_s_status_is_passed_on() => (await lab.Run("exit 42")).Exited(42);

    [Fact]
    public async Task A_signal_becomes_a_status() => (await lab.Run("kill -9 $$")).Exited(137);

    [Fact]
    public async Task Status_255_is_the_command_s_own() => (await lab.Run("exit 255")).Exited(255);

    [Fact]
    public async Task Output_and_errors_come_apart()
    {
        var result = (await lab.Run("echo out; echo err >&2")).Succeeded();
        Assert.Equal(("out\n", "err\n"), (result.Output, result.Error));
    }

    [Fact]
    public async Task Input_arrives_and_ends() => Assert.Equal("eno\n", (await lab.Run("rev", "one\n")).Succeeded().Output);

    [Fact]
    public async Task Arguments_arrive_as_they_are()
    {
        string[] odd = ["a b", "", "$HOME", "'", "\"", "\\", "*", "line\nfeed"];
        var result = await lab.RunProgram(["printf", "[%s]", .. odd]);
        Assert.Equal(string.Concat(odd.Select(argument => $"[{argument}]")), result.Succeeded().Output);
    }

    [Fact]
    public async Task A_command_that_takes_too_long_is_ended_in_dom0()
    {
        (await lab.Run("exec -a too-long sleep 1000", timeoutSeconds: 2)).Exited(124);
        (await lab.Run("! pgrep -f '^too-long'")).Succeeded();
    }

    [Fact]
    public async Task Xenstore_answers_the_kernel_and_the_tools_alike()
    {
        Assert.Equal("Domain-0\n", (await lab.Run("xenstore-read /local/domain/0/name")).Succeeded().Output);
        Assert.Contains("Domain-0", (await lab.Run("xl list")).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_other_than_root_gets_into_the_root_folder() =>
        Assert.Equal("65534\n", (await lab.Run("setpriv --reuid 65534 --clear-groups ls / >/dev/null && setpriv --reuid 65534 --clear-groups id -u"))
            .Succeeded().Output);

    [Fact]
    public async Task Nothing_outside_can_be_reached() => (await lab.Run("timeout 5 bash -c '</dev/tcp/192.0.2.1/80'")).Exited(1);

    [Fact]
    public async Task No_xenconsoled_runs() => (await lab.Run("! pgrep -f '[x]enconsoled'")).Succeeded();
}
