using static Hypha.Lab.Tests.HyphaHost;

namespace Hypha.Lab.Tests;

/// <summary>packaging/ under a real systemd, on a host that was installed as the README says.</summary>
public sealed class SystemdTests(SystemdTests.InstalledHost host) : IClassFixture<SystemdTests.InstalledHost>
{
    public sealed class InstalledHost() : Lab("--systemd", "--registry", "--overlay", Path.Combine(Repository.Root, "artifacts/root"), "--with", BareHost.NameServer)
    {
        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            (await Run("""
                echo nameserver 10.0.2.2 >>/etc/resolv.conf
                systemd-sysusers && sysctl -p /usr/lib/sysctl.d/50-hypha.conf
                systemctl enable --now hyphad hyphanet && hyphactl host check
                """)).Succeeded();
        }
    }

    private const string ServePage = "mkdir /www; echo hello >/www/index.html; exec httpd -f -p 80 -h /www";

    private const string Functions = """
        fail() { echo "$*" >&2; journalctl --no-pager -u hyphad -u hyphanet | tail -n 40 >&2; exit 1; }
        main() { systemctl show -P MainPID $1; }
        page() { for i in $(seq 60); do curl -s --max-time 5 http://127.0.0.1:$1/ | grep -q hello && return; sleep 0.5; done; fail "no page on port $1"; }
        killed() {
          before=$(main $1); kill -9 $before
          for i in $(seq 300); do test $(main $1) -gt 0 && test $(main $1) != $before && systemctl -q is-active $1 && return; sleep 0.2; done
          fail "$1 did not come back"
        }
        left() { losetup -n; ls -d /sys/bus/xen-backend/devices/* /var/lib/hypha/containers/* 2>/dev/null; pgrep -a hypha; systemctl --failed --no-legend; }

        """;

    [Fact]
    public async Task Hyphanet_is_a_user_with_one_capability_and_hyphad_cannot_gain_any()
    {
        string[] network = await StatusAsync("hyphanet"), daemon = await StatusAsync("hyphad");
        foreach (string set in new[] { "CapPrm", "CapEff", "CapBnd", "CapAmb" })
            Assert.Contains($"{set}:0000000000000400", network); // 1 << CAP_NET_BIND_SERVICE
        Assert.DoesNotContain("Uid:0000", network);
        foreach (string[] status in new[] { network, daemon })
            Assert.Contains("NoNewPrivs:1", status);
        foreach (string[] status in new[] { network, daemon })
            Assert.Contains("Seccomp:2", status);
        (await host.Run("systemd-analyze verify hyphad.service hyphanet.service >&2 && ! dmesg | grep 'type=1326'")).Succeeded(); // no system call was fatal
    }

    [Fact]
    public async Task A_container_is_served_on_whatever_becomes_of_the_daemons_and_with_the_drop_ins_the_next_has_an_interface_of_the_kernel_s()
    {
        string output = (await host.Run($$"""
            {{Functions}}
            hyphactl launch --insecure --rm --name served -p 80:80 {{Busybox}} sh -c '
              for host in 10.75.0.1 fd75::1 world.test; do ping -c 1 -W 5 $host; done; wget -q -O- http://world.test:5000/v2/; {{ServePage}}'
            page 80
            hyphactl logs served
            systemctl restart hyphanet && page 80
            killed hyphanet
            page 80
            """)).Succeeded().Output;
        Assert.Equal(3, output.Split("1 packets received").Length - 1);
        Assert.EndsWith("{}", output.TrimEnd());

        (await host.Run($$"""
            {{Functions}}
            for unit in hyphad hyphanet; do
              install -D -m 644 /usr/share/doc/hypha/$unit-netback.conf /etc/systemd/system/$unit.service.d/netback.conf
            done
            systemctl daemon-reload && systemctl restart hyphanet && killed hyphad || fail "not restarted"
            hyphactl launch --insecure --rm --name after -p 81:80 {{Busybox}} sh -c '{{ServePage}}'
            page 81; page 80
            test $(ls -d /sys/class/net/vif* | wc -l) = 1 || fail "interfaces: $(ls /sys/class/net)"
            hyphactl destroy served after && systemctl stop hyphad hyphanet
            test -z "$(left)" || fail "left: $(left)"
            rm -r /etc/systemd/system/hypha{d,net}.service.d && systemctl daemon-reload && systemctl start hyphad hyphanet
            """)).Succeeded();
    }

    [Fact]
    public async Task Neither_daemon_watches_the_directories_below_the_one_it_was_started_in() =>
        (await host.Run("for unit in hyphad hyphanet; do test $(cat /proc/$(systemctl show -P MainPID $unit)/fdinfo/* 2>/dev/null | grep -c ^inotify) -lt 10 || exit 1; done")).Succeeded();

    private async Task<string[]> StatusAsync(string unit) =>
        (await host.Run($"tr -d '\\t' </proc/$(systemctl show -P MainPID {unit})/status")).Succeeded().Output.Split('\n');
}
