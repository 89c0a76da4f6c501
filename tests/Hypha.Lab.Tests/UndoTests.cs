using static Hypha.Lab.Tests.HyphaHost;

namespace Hypha.Lab.Tests;

/// <summary>Launches that are given up, or whose daemon is killed, at every moment: nothing is left of them.</summary>
[Collection<HostWithWitnesses>]
public sealed class UndoTests(HostWithWitnesses host)
{
    // Milliseconds from the command's start; a launch takes about 700 in the lab.
    private const string Moments = "50 150 250 300 350 400 450 500 550 600 650 700 800 1000";

    [Fact]
    public async Task Ctrl_C_in_any_phase_leaves_nothing()
    {
        string before = await CountAsync();
        // Either the launch was given up with 130 and no word of a container, or it was done: then it is removed as any other.
        (await host.Run($$"""
            given_up=0
            for moment in {{Moments}}; do
              status=0
              timeout --signal INT --preserve-status $(awk "BEGIN { print $moment / 1000 }") \
                hyphactl launch --insecure --name fickle {{Busybox}} sleep 1000 >/tmp/id 2>/tmp/errors || status=$?
              if [ -s /tmp/id ]; then hyphactl destroy fickle >/dev/null || exit 1
              elif [ $status = 130 ]; then given_up=$((given_up + 1))
              else echo "after $moment ms: status $status" >&2; cat /tmp/errors >&2; exit 1; fi
              if hyphactl list -a | grep -q fickle; then echo "after $moment ms something is left:" >&2; hyphactl list -a >&2; exit 1; fi
            done
            echo $given_up; test $given_up -gt 3
            """)).Succeeded();
        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task A_daemon_killed_in_any_phase_of_a_launch_leaves_nothing_half_made()
    {
        string before = await CountAsync();
        foreach (string moment in Moments.Split(' '))
        {
            (await host.Run($"""
                hyphactl launch --insecure --name unlucky {Busybox} sleep 1000 >/tmp/id 2>/tmp/errors &
                sleep {int.Parse(moment) / 1000.0:F2}
                {KillDaemon}; wait
                """)).Succeeded();
            (await host.Run(StartDaemon)).Succeeded();
            // A container that hyphactl was told of runs on, or there is none.
            (await host.Run("""
                set -e
                if [ -s /tmp/id ]; then sleep 3; hyphactl list | grep -q unlucky; fi
                if hyphactl list -a | grep -q unlucky; then hyphactl destroy unlucky; fi
                """)).Succeeded();
        }
        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task A_registry_that_never_answers_can_be_given_up()
    {
        string before = await CountAsync();
        (await host.Run("""
            socat TCP-LISTEN:5998,fork,reuseaddr EXEC:'sleep 100' & server=$!
            for i in $(seq 50); do (exec 3<>/dev/tcp/127.0.0.1/5998) 2>/dev/null && break; sleep 0.1; done
            status=0
            timeout --signal INT --preserve-status 2 hyphactl launch --insecure 127.0.0.1:5998/silent >/tmp/id 2>/tmp/errors || status=$?
            kill $server; pkill -x sleep
            test $status = 130 && test ! -s /tmp/id
            """)).Succeeded();
        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task Twenty_containers_come_and_go_without_a_trace()
    {
        string before = await CountAsync();
        (await host.Run($$"""
            set -e
            for i in $(seq 10); do hyphactl launch --insecure -m 128 --name many$i {{Busybox}} sleep 1000 & done; wait
            test $(hyphactl list | grep -c many) = 10
            hyphactl destroy --all
            for i in $(seq 10); do hyphactl launch --insecure -m 128 --attach --rm {{Busybox}} sh -c "exit $i" </dev/null || test $? = $i; done
            """)).Succeeded();
        Assert.Equal(before, await CountAsync());
    }

    private async Task<string> CountAsync() => (await host.Run(HostWithWitnesses.FullInventory)).Succeeded().Output;
}
