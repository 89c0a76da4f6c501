using static Hypha.Lab.Tests.HyphaHost;

namespace Hypha.Lab.Tests;

/// <summary>What Xen's own tools see of us, and what they do to us. They are witnesses: no dom0 of Hypha's has them.</summary>
[Collection<HostWithWitnesses>]
public sealed class WitnessTests(HostWithWitnesses host)
{
    [Fact]
    public async Task Xl_and_xenstore_ls_agree_with_what_hyphactl_says() => (await host.Run($$"""
        set -e
        fail() { echo "$*" >&2; exit 1; }
        id=$(hyphactl launch --insecure --name seen -m 192 -c 2 {{Busybox}} sleep 1000)
        domain=$(hyphactl list | awk '$2 == "seen" { print $NF }')
        home=/local/domain/$domain
        # The guest brings up its second processor, and then its channel.
        for i in $(seq 300); do xenstore-read $home/hypha/guest/channel/session >/dev/null 2>&1 && break; sleep 0.1; done
        xl list seen | awk -v d="$domain" 'NR == 2 && $1 == "seen" && $2 == d && $3 == 192 && $4 == 2 { found = 1 } END { exit !found }' || fail "xl list: $(xl list seen)"
        test "$(xl domname $domain)" = seen || fail domname
        xl list -v | grep -q "$id" || fail "xl list -v: $(xl list -v)"
        test "$(xenstore-read $home/hypha/uuid)" = "$id" || fail uuid
        xenstore-ls -fp >/tmp/store
        has() { grep -q "$1" /tmp/store || fail "not in the store: $1"; }
        has "^$home/hypha/uuid = .*(n0,r$domain)"
        has "^$home/hypha/guest/channel/session = .*(n$domain"
        has "^/local/domain/0/backend/vbd/$domain/51712/mode = \"r\""
        has "^/local/domain/0/backend/vbd/$domain/51712/state = \"4\""
        if grep "(n$domain)" /tmp/store | grep -v "^$home/\(device/vbd/\|control/\|error\|hypha/guest\)"; then fail "more is the guest's than it needs"; fi
        hyphactl destroy seen
        if xenstore-ls -f | grep -E "$home(/| )|backend/[a-z]*/$domain/|/vm/$id"; then fail left; fi
        if xl list | grep seen; then fail listed; fi
        """)).Succeeded();

    [Theory]
    [InlineData(256, 4096)]
    [InlineData(300, 300)]
    public async Task The_host_weighs_more_than_guests_unless_somebody_chose(int before, int after)
    {
        (await host.Run($"xl sched-credit2 -d 0 -w {before}; {KillDaemon}")).Succeeded();
        (await host.Run(StartDaemon)).Succeeded();
        (await host.Run($"xl sched-credit2 -d 0 | awk 'END {{ print $3; exit $3 != {after} }}'")).Succeeded();
        (await host.Run("xl sched-credit2 -d 0 -w 4096")).Succeeded();
    }

    [Fact]
    public async Task A_disk_that_the_driver_gives_up_ends_the_launch_with_its_word_for_it()
    {
        // Without the driver nobody opens the disk, and what it would say of a failure is ours to write.
        (await host.Run($$"""
            trap 'modprobe xen-blkback' EXIT
            set -e
            hyphactl destroy --all
            for i in $(seq 100); do rmmod xen_blkback 2>/dev/null && break; sleep 0.1; done
            hyphactl launch --insecure {{Busybox}} true 2>/tmp/said & launch=$!
            until domain=$(xenstore-list /local/domain/0/backend/vbd 2>/dev/null | grep .); do sleep 0.1; done
            xenstore-write /local/domain/0/error/backend/vbd/$domain/51712/error "2 creating vbd structure"
            start=$SECONDS; status=0; wait $launch || status=$?
            test $status = 125 && test $((SECONDS - start)) -lt 30
            grep "xvda of domain $domain: 2 creating vbd structure" /tmp/said
            ! xenstore-list /local/domain/0/error/backend/vbd | grep . && test -z "$(losetup -n)"
            """)).Succeeded();
        (await host.Launch("--rm", [Busybox, "true"])).Succeeded();
    }

    [Fact]
    public async Task A_guest_that_xl_destroys_is_seen_within_a_second()
    {
        (await host.Run($"hyphactl launch --insecure --name victim {Busybox} sleep 1000; while ! xl list victim >/dev/null; do sleep 0.1; done; sleep 6")).Succeeded();
        // The end of `xl destroy` is after the domain's: what is measured is from then on.
        var result = (await host.Run("""
            hyphactl wait victim >/tmp/status & waiter=$!
            xl destroy victim
            start=${EPOCHREALTIME/./}
            wait $waiter
            echo $((${EPOCHREALTIME/./} - start))
            cat /tmp/status; hyphactl inspect victim
            """)).Succeeded();
        string[] lines = result.Output.Split('\n');
        Assert.InRange(int.Parse(lines[0]), 0, 1_000_000); // µs
        Assert.Equal("125", lines[1]);
        (await host.Run("hyphactl destroy victim")).Succeeded();
    }

    [Fact]
    public async Task A_domain_of_somebody_else_is_never_touched()
    {
        (await host.Run($$"""
            printf 'name="foreign"\nkernel="/var/lib/hypha/default/kernel"\nramdisk="/var/lib/hypha/default/initrd"\nmemory=128\nvcpus=1\n' >/tmp/foreign.cfg
            xl create -q -p /tmp/foreign.cfg
            hyphactl launch --insecure --name ours {{Busybox}} sleep 1000
            {{KillDaemon}}
            """)).Succeeded();
        (await host.Run(StartDaemon)).Succeeded();
        (await host.Run("""
            set -e
            hyphactl list | grep -q ours
            ! hyphactl list -a | grep foreign
            hyphactl destroy --all
            xl list foreign
            xenstore-ls /local/domain/$(xl domid foreign) | grep -q 'name = "foreign"'
            xl destroy foreign
            """)).Succeeded();
    }

    [Fact]
    public async Task Devices_consoles_and_ends_of_bare_guests_hold_their_promises() =>
        (await host.Run("/lab/in/probes/containers-probe /lab/in/kernels/debian /lab/in/probes/containers-initrd >&2")).Succeeded();

    [Fact]
    public async Task Every_hypercall_of_ours_works_on_Xen_4_17() => (await host.Run("/lab/in/probes/xen-probe >&2")).Succeeded();
}
