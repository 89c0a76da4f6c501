namespace Hypha.Lab.Tests;

/// <summary>A dom0 with Hypha installed and hyphad running: what a person has after the installation.</summary>
public class HyphaHost(params string[] options) : Lab(["--overlay", Path.Combine(Repository.Root, "artifacts/root"), "--registry", "--kernels", .. options])
{
    public const string Busybox = "registry.local:5000/busybox:latest";

    /// <summary>Starts hyphad and waits until its socket answers; a killed one before it is no obstacle.</summary>
    public const string StartDaemon = """
        (/usr/sbin/hyphad >>/var/log/hyphad.log 2>&1 </dev/null &)
        for i in $(seq 600); do hyphactl list >/dev/null 2>&1 && exit 0; sleep 0.1; done
        cat /var/log/hyphad.log >&2; exit 1
        """;

    /// <summary>
    /// Starts hyphanet and waits until it serves, as its unit and sysctl.d would: a user with two devices, the store and one capability.
    /// </summary>
    public const string StartNetwork = """
        sysctl -qw net.ipv4.ping_group_range="0 2147483647"
        chgrp 4711 /dev/xen/gntdev /dev/xen/evtchn /run/xenstored/socket && chmod 660 /dev/xen/gntdev /dev/xen/evtchn /run/xenstored/socket
        install -d -o 4711 -g 4711 -m 700 /run/hyphanet
        (setpriv --reuid 4711 --regid 4711 --clear-groups --no-new-privs --bounding-set -all,+net_bind_service --inh-caps -all,+net_bind_service \
          --ambient-caps -all,+net_bind_service /usr/sbin/hyphanet >>/var/log/hyphanet.log 2>&1 </dev/null &)
        for i in $(seq 600); do tail -n 1 /var/log/hyphanet.log | grep -q . && exit 0; sleep 0.1; done
        exit 1
        """;

    /// <summary>Ends hyphad as a crash would, and waits until it is gone.</summary>
    public const string KillDaemon = "pkill -9 -x hyphad; while pgrep -x hyphad; do sleep 0.1; done";

    /// <summary>Everything that a launch takes of the host, as one text: equal texts mean that nothing was left.</summary>
    public const string Inventory = """
        hyphactl list -a -q | sort | sed 's/^/container /'
        hyphactl host info | grep -o '[0-9]* running'
        losetup -n -O NAME,BACK-FILE | sort
        ls -d /sys/bus/xen-backend/devices/* 2>/dev/null | sort
        ls /var/lib/hypha/containers | sort
        grep -c . /proc/mounts
        """;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        (await Run(StartDaemon)).Succeeded();
        (await Run(StartNetwork)).Succeeded();
        // Once, so that what is measured and counted later is not the first use of kernel and image.
        (await Launch("--rm", [Busybox, "true"])).Succeeded();
    }

    /// <summary><c>hyphactl launch --attach</c> with these options (words of a shell) and exactly this image and command.</summary>
    public Task<LabResult> Launch(string options, string[] command, string input = "") =>
        RunProgram(["hyphactl", "launch", "--attach", "--insecure", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries), .. command], input);
}

/// <summary>The host of most tests: dom0 holds nothing of Xen's but the store daemon.</summary>
[CollectionDefinition]
public sealed class BareHost() : HyphaHost("--with", NameServer), ICollectionFixture<BareHost>
{
    /// <summary>Outside, as dom0 sees it: 10.0.2.2, where the registry is, too.</summary>
    public const string NameServer = "exec dnsmasq -k -u root --port=53 --listen-address=127.0.0.1 --bind-interfaces --no-resolv --no-hosts --pid-file= --address=/world.test/10.0.2.2";
}

/// <summary>A host with xl, xenstore-ls, lsevtchn and xenconsoled besides, to look at what we do with other eyes.</summary>
[CollectionDefinition]
public sealed class HostWithWitnesses() : HyphaHost("--xenconsoled", "--in", Probes), ICollectionFixture<HostWithWitnesses>
{
    /// <summary>What tests/probes.sh makes; /lab/in/probes in dom0.</summary>
    public static string Probes => Path.Combine(Repository.Root, "artifacts/probes");

    /// <summary>The inventory, and what only Xen's tools can count: domains, event channels of dom0, nodes of the store.</summary>
    public const string FullInventory = Inventory + """

        xl list | awk 'NR > 1 { print $1 }' | sort
        # A back end lets go of a guest a little after the guest is gone.
        sleep 1
        lsevtchn 0 | grep -c Interdomain | sed 's/$/ event channels/'
        # Of a kind of device the directory stays; xl removes one that is empty.
        xenstore-ls -f | sed 's/ = .*//' | grep -v '^/local/domain/0/\(memory\|libxl\|error$\|error/backend$\|\(error/\)\?backend/[a-z]*$\)'
        """;
}
