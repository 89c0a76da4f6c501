using static Hypha.Lab.Tests.HyphaHost;

namespace Hypha.Lab.Tests;

/// <summary>Containers as a person uses them, on a real hypervisor.</summary>
[Collection<BareHost>]
public sealed class ContainerTests(BareHost host)
{
    [Fact]
    public async Task Streams_come_apart_and_the_status_is_the_container_s()
    {
        var result = (await host.Launch("--rm", [Busybox, "sh", "-c", "echo out; echo err >&2; exit 7"])).Exited(7);
        Assert.Equal(("out\n", "err\n"), (result.Output, result.Error));
    }

    [Fact]
    public async Task Nothing_is_left_after_an_attached_container()
    {
        string before = (await host.Run(Inventory)).Succeeded().Output;
        (await host.Launch("--rm", [Busybox, "true"])).Succeeded();
        Assert.Equal(before, (await host.Run(Inventory)).Succeeded().Output);
    }

    [Fact]
    public async Task Bytes_pass_through_as_they_are() => (await host.Run($"""
        head -c 3000000 /dev/urandom > /tmp/bytes
        hyphactl launch --attach --rm {Busybox} cat < /tmp/bytes > /tmp/back && cmp /tmp/bytes /tmp/back
        """)).Succeeded();

    [Fact]
    public async Task The_container_gets_its_environment_directory_user_and_hostname()
    {
        var result = await host.Launch("--rm -e A=1 -w /srv/made -u 1000:50 --hostname box", [Busybox, "sh", "-c",
            "echo $A $PWD $(id -u):$(id -g) $(hostname) $HOSTNAME $$"]);
        Assert.Equal("1 /srv/made 1000:50 box box 1\n", result.Succeeded().Output);
    }

    [Fact]
    public async Task A_missing_command_is_127_and_one_that_is_no_program_126()
    {
        var missing = (await host.Launch("--rm", [Busybox, "/no/such/command"])).Exited(127);
        Assert.Contains("/no/such/command", missing.Error, StringComparison.Ordinal);
        (await host.Launch("--rm", [Busybox, "/etc"])).Exited(126);
    }

    [Fact]
    public async Task A_signal_s_end_is_128_plus_its_number() =>
        (await host.Launch("--rm", [Busybox, "sh", "-c", "sh -c 'kill -9 $$'; exit $?"])).Exited(137);

    [Fact]
    public async Task The_root_is_writable_and_the_image_s_disk_is_not()
    {
        var result = await host.Launch("--rm", [Busybox, "sh", "-c", """
            echo kept > /file && cat /file
            mknod /disk b 202 0 && ! dd if=/dev/zero of=/disk bs=512 count=1 conv=fsync 2>/dev/null && echo refused
            """]);
        Assert.Equal("kept\nrefused\n", result.Succeeded().Output);
    }

    [Fact]
    public async Task A_detached_container_is_listed_logged_and_destroyed() => (await host.Run($"""
        set -e
        id=$(hyphactl launch --name web {Busybox} sh -c 'echo started; exec sleep 1000')
        hyphactl list | grep web | grep -q Up
        for i in $(seq 300); do hyphactl logs web | grep -q started && break; sleep 0.1; done
        test "$(hyphactl logs $id)" = started
        hyphactl console $id >/dev/null
        test "$(hyphactl destroy web)" = web
        ! hyphactl list -a | grep web
        """)).Succeeded();

    [Fact]
    public async Task Wait_prints_the_status_of_a_container_that_ended() => (await host.Run($"""
        set -e
        hyphactl launch --name short {Busybox} sh -c 'exit 9' >/dev/null
        test "$(hyphactl wait short)" = 9
        hyphactl list -a | grep short | grep -q 'Exited (9)'
        hyphactl destroy short
        """)).Succeeded();

    [Fact]
    public async Task A_killed_hyphad_loses_no_container_no_output_and_no_status()
    {
        (await host.Run($"""
            hyphactl launch --name survivor -i {Busybox} sh -c 'for i in $(seq 1 8); do echo line $i; sleep 1; done; exit 5'
            for i in $(seq 300); do hyphactl logs survivor | grep -q 'line 2' && break; sleep 0.1; done
            {KillDaemon}
            """)).Succeeded();
        (await host.Run(StartDaemon)).Succeeded();
        (await host.Run("""
            test "$(hyphactl wait survivor)" = 5 || { hyphactl inspect survivor; tail -n 20 /var/log/hyphad.log; exit 1; } >&2
            hyphactl logs survivor | diff - <(for i in $(seq 1 8); do echo line $i; done) >&2
            hyphactl destroy survivor
            """)).Succeeded();
    }

    [Fact]
    public async Task An_image_packs_without_daemon_or_hypervisor() => (await host.Run($"""
        mkdir -p /tmp/pack && cd /tmp/pack
        hyphactl --socket /nonexistent image pack --from oci:/nonexistent -o x.squashfs 2>error && exit 1
        grep -q /nonexistent error && ! test -e x.squashfs
        """)).Succeeded();
}
