using System.Text.RegularExpressions;
using static Hypha.Lab.Tests.HyphaHost;

namespace Hypha.Lab.Tests;

/// <summary>Containers on the default network, served by hyphanet through their vifs.</summary>
[Collection<BareHost>]
public sealed class NetworkTests(BareHost host)
{
    private const string ServePage = "mkdir /www; echo hello from $(hostname) >/www/index.html; exec httpd -f -p 80 -h /www";

    [Fact]
    public async Task A_container_has_its_address_its_routes_and_its_files()
    {
        string output = (await host.Launch("--rm --hostname box --add-host other:192.0.2.7", [Busybox, "sh", "-c",
            "ip -o address show; ip route; ip -6 route; cat /etc/resolv.conf /etc/hosts"])).Succeeded().Output;
        Assert.Matches(@"eth0 +inet 10\.75\.\d+\.\d+/16", output);
        Assert.Matches(@"eth0 +inet6 fd75::[0-9a-f]+/64", output);
        Assert.Contains("lo    inet 127.0.0.1/8", output);
        Assert.Contains("default via 10.75.0.1 dev eth0", output);
        Assert.Contains("default via fd75::1 dev eth0", output);
        Assert.Contains("nameserver 10.75.0.1\nnameserver fd75::1\n", output);
        Assert.Matches(@"10\.75\.\d+\.\d+\tbox\n", output);
        Assert.Contains("192.0.2.7\tother\n", output);
    }

    [Fact]
    public async Task It_pings_the_gateway_in_both_families_and_reaches_the_world_by_name()
    {
        (await host.Run("grep -q 10.0.2.2 /etc/resolv.conf 2>/dev/null || echo nameserver 10.0.2.2 >>/etc/resolv.conf")).Succeeded();
        string output = (await host.Launch("--rm", [Busybox, "sh", "-c",
            "ping -c 2 -W 5 10.75.0.1; ping -c 2 -W 5 fd75::1; ping -c 2 -W 5 world.test; wget -q -O- http://world.test:5000/v2/"])).Succeeded().Output;
        Assert.Equal(3, output.Split("2 packets received").Length - 1);
        Assert.EndsWith("{}", output.TrimEnd());
    }

    [Fact]
    public async Task A_published_port_leads_from_the_host_to_the_container()
    {
        (await host.Run($"""
            hyphactl launch --insecure --rm --name published -p 8080:80 {Busybox} sh -c '{ServePage}'
            for i in $(seq 60); do curl -s --max-time 5 http://127.0.0.1:8080/ | grep -q 'hello from' && break; sleep 0.5; done
            curl -sS --max-time 10 http://10.0.2.15:8080/ | grep 'hello from'
            hyphactl launch --insecure --rm -p 8080:81 {Busybox} true 2>&1 | grep 'published has published 8080:80'
            """)).Succeeded();
        (await host.Run("hyphactl destroy published; ! curl -s --max-time 5 http://127.0.0.1:8080/")).Succeeded();
    }

    [Fact]
    public async Task Two_containers_reach_each_other_by_name_and_go_on_when_hyphanet_is_killed()
    {
        (await host.Run($"hyphactl launch --insecure --rm --name first {Busybox} sh -c '{ServePage}'")).Succeeded();
        string[] ask = [Busybox, "sh", "-c", "for i in $(seq 60); do timeout 5 wget -q -O- http://first/ && break; sleep 0.5; done; ping -c 1 -W 10 first; ping6 -c 1 -W 10 first"];
        string output = (await host.Launch("--rm", ask)).Succeeded().Output;
        Assert.Contains("hello from", output);
        Assert.Equal(2, output.Split("1 packets received").Length - 1);

        (await host.Run($"pkill -9 -x hyphanet; while pgrep -x hyphanet; do sleep 0.1; done; >/var/log/hyphanet.log\n{StartNetwork}")).Succeeded();
        Assert.Contains("hello from", (await host.Launch("--rm", ask)).Succeeded().Output);
        (await host.Run("hyphactl destroy first")).Succeeded();
    }

    [Fact]
    public async Task Rules_stop_a_container_that_would_reach_another()
    {
        (await host.Run($"hyphactl launch --insecure --rm --name second {Busybox} sh -c '{ServePage}'; printf 'deny tcp to 10.75.0.0/16\\ndeny tcp to fd75::/64\\n' >/tmp/rules")).Succeeded();
        static string[] Ask(int times) => [Busybox, "sh", "-c", $"for i in $(seq {times}); do timeout 5 wget -q -O- http://second/ && break; sleep 0.5; done; timeout 5 wget -q -O- http://10.0.2.2:5000/v2/"];
        Assert.Contains("hello from", (await host.Launch("--rm", Ask(20))).Succeeded().Output);
        string output = (await host.Launch("--rm --policy /tmp/rules", Ask(2))).Succeeded().Output;
        Assert.DoesNotContain("hello from", output);
        Assert.Contains("{}", output);
        (await host.Run("hyphactl destroy second; echo nonsense >/tmp/rules")).Succeeded();
        Assert.Contains("line 1: \"nonsense\"", (await host.Launch("--rm --policy /tmp/rules", [Busybox, "true"])).Exited(125).Error);
    }

    [Fact]
    public async Task What_a_container_sends_is_seen_counted_and_captured()
    {
        (await host.Run($"hyphactl launch --insecure --rm --name seen {Busybox} sh -c 'while sleep 0.2; do ping -c 1 -W 5 10.0.2.2; done'")).Succeeded();
        LabResult seen = (await host.Run("""
            for i in $(seq 60); do hyphactl network flows seen 2>/dev/null | grep -q ' answered' && break; sleep 0.5; done
            set -e
            hyphactl network stats seen
            hyphactl network flows seen
            hyphactl network capture seen --filter 'icmp and host 10.0.2.2' --count 4 -w /tmp/seen.pcapng
            head -c 4 /tmp/seen.pcapng | od -A n -t x1
            """)).Succeeded();
        Assert.Matches(@"seen +\d+ +default +10\.75\.", seen.Output);
        Assert.Matches(@"seen +icmp +10\.75\.\d+\.\d+:\d+ +10\.0\.2\.2 +answered ", seen.Output);
        Assert.Contains(" 0a 0d 0d 0a", seen.Output);
        Assert.Contains("4 frames taken, 0 dropped", seen.Error);
        (await host.Run("hyphactl destroy seen")).Succeeded();
    }

    [Fact]
    public async Task A_network_of_ones_own_holds_its_containers_and_nobody_else()
    {
        (await host.Run($"""
            hyphactl network create own --subnet 10.99.7.0/24 --subnet6 fd99:7::/64 --internal
            hyphactl launch --insecure --rm --name inside --network own {Busybox} sh -c '{ServePage}'
            """)).Succeeded();
        string within = (await host.Launch("--rm --network own", [Busybox, "sh", "-c",
            "for i in $(seq 60); do timeout 5 wget -q -O- http://inside/ && break; sleep 0.5; done; timeout 5 wget -q -O- http://10.0.2.2:5000/v2/; true"])).Succeeded().Output;
        Assert.Contains("hello from", within);
        Assert.DoesNotContain("{}", within); // there is no way out
        string without = (await host.Launch("--rm", [Busybox, "sh", "-c",
            "for i in $(seq 60); do timeout 5 wget -q -O- http://10.0.2.2:5000/v2/ && break; sleep 0.5; done; timeout 5 wget -q -O- http://10.99.7.2/; timeout 5 wget -q -O- http://inside/; true"])).Succeeded().Output;
        Assert.Contains("{}", without);
        Assert.DoesNotContain("hello from", without);

        Assert.Contains("inside has a place on it", (await host.Run("! hyphactl network rm own")).Succeeded().Error);
        Assert.Matches("inside +10.99.7.2 +fd99:7::2 ", (await host.Run("hyphactl network inspect own")).Succeeded().Output);
        Assert.Equal("default\n", (await host.Run("hyphactl destroy inside >/dev/null && hyphactl network rm own >/dev/null && hyphactl network list -q")).Succeeded().Output);
    }

    [Fact]
    public async Task A_running_container_moves_from_one_network_to_another()
    {
        (await host.Run($"""
            hyphactl network create next --subnet 10.99.8.0/24 --subnet6 fd99:8::/64
            hyphactl launch --insecure --rm --name mover {Busybox} sh -c 'while true; do ip -o address show dev eth0; cat /etc/resolv.conf; timeout 5 wget -q -O- http://10.0.2.2:5000/v2/; echo; sleep 1; done'
            for i in $(seq 60); do hyphactl logs mover | grep -q '{"{}"}' && break; sleep 1; done
            hyphactl network disconnect default mover
            hyphactl network connect next mover
            """)).Succeeded();
        string output = (await host.Run("""
            before=$(hyphactl logs mover | wc -l)
            for i in $(seq 60); do hyphactl logs mover | tail -n +$((before + 1)) | grep -A 9 10.99.8.2 | grep -q '{}' && break; sleep 1; done
            hyphactl logs mover | tail -n +$((before + 1))
            hyphactl destroy mover >/dev/null; hyphactl network rm next >/dev/null
            """)).Succeeded().Output;
        foreach (string there in new[] { "inet 10.99.8.2/24 ", "inet6 fd99:8::2/64 ", "nameserver 10.99.8.1", "{}" })
            Assert.Contains(there, output);
    }

    [Fact]
    public async Task The_host_s_own_and_other_guests_addresses_are_out_of_bounds()
    {
        string output = (await host.Launch("--rm", [Busybox, "sh", "-c", """
            ip route add 127.1.1.0/24 via 10.75.0.1
            timeout 5 wget -q -O- http://169.254.169.254/ && echo reached; timeout 5 wget -q -O- http://127.1.1.1:5000/ && echo reached
            ip address add 10.75.0.99/16 dev eth0; ping -c 1 -W 2 -I 10.75.0.99 10.75.0.1 && echo reached; true
            """])).Succeeded().Output;
        Assert.DoesNotContain("reached", output);
    }

    [Fact]
    public async Task Without_a_network_there_is_the_loopback_interface_alone()
    {
        string output = (await host.Launch("--rm --network none", [Busybox, "sh", "-c", "ip -o link show up; cat /etc/resolv.conf"])).Succeeded().Output;
        Assert.DoesNotContain("eth0", output);
        Assert.DoesNotContain("nameserver", output);
    }

    [Fact]
    public async Task Address_and_MAC_are_as_asked_and_nobody_else_s()
    {
        string output = (await host.Launch("--rm --ip 10.75.9.9 --ip6 fd75::9:9 --mac 02:00:00:00:09:09", [Busybox, "ip", "address", "show", "dev", "eth0"])).Succeeded().Output;
        Assert.Contains("10.75.9.9/16", output);
        Assert.Contains("fd75::9:9/64", output);
        Assert.Contains("02:00:00:00:09:09", output);
        Assert.Contains("10.75.0.1 is no member's address", (await host.Launch("--rm --ip 10.75.0.1", [Busybox, "true"])).Exited(125).Error);
        Assert.Contains("has not the form", (await host.Launch("--rm -p 80", [Busybox, "true"])).Exited(125).Error);
    }

    [Fact]
    public async Task A_megabyte_passes_each_way_unchanged()
    {
        (await host.Run("(timeout 120 socat TCP-LISTEN:7000,reuseaddr EXEC:cat >/dev/null 2>&1 </dev/null &)")).Succeeded();
        Assert.Equal("same\n", (await host.Launch("--rm", [Busybox, "sh", "-c",
            "head -c 1048576 /dev/urandom >/sent; nc 10.0.2.15 7000 </sent >/back; cmp /sent /back && echo same"])).Succeeded().Output);
    }

    [Fact]
    public async Task What_is_sent_to_a_group_reaches_whoever_joined_it_in_either_family_and_nobody_else()
    {
        const string debian = "registry.local:5000/debian:latest", join = """
            use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);
            socket(A, PF_INET, SOCK_DGRAM, 0) && bind(A, sockaddr_in(5000, INADDR_ANY)) || die "socket: $!";
            setsockopt(A, 0, 35, inet_aton("239.1.2.3") . INADDR_ANY) || die "IP_ADD_MEMBERSHIP: $!";
            socket(B, PF_INET6, SOCK_DGRAM, 0) && bind(B, pack_sockaddr_in6(5001, inet_pton(AF_INET6, "::"))) || die "socket: $!";
            setsockopt(B, 41, 20, inet_pton(AF_INET6, "ff15::77") . pack("I", 0)) || die "IPV6_JOIN_GROUP: $!";
            $| = 1;
            print "joined\n";
            for (;;) {
              vec($set = "", fileno(A), 1) = 1; vec($set, fileno(B), 1) = 1;
              select($set, undef, undef, undef);
              if (vec($set, fileno(A), 1)) { recv(A, $_, 100, 0); print "v4 $_"; }
              if (vec($set, fileno(B), 1)) { recv(B, $_, 100, 0); print "v6 $_"; }
            }
            """, send = """
            until (exec 3<>/dev/tcp/10.0.2.2/5000) 2>/dev/null; do sleep 0.2; done
            for i in {1..50}; do echo $i >/dev/udp/239.1.2.3/5000; echo $i >/dev/udp/ff15::77/5001; sleep 0.05; done
            """;
        (await host.RunProgram(["hyphactl", "launch", "--insecure", "--rm", "--name", "member", debian, "perl", "-e", join])).Succeeded();
        (await host.Run($"""
            hyphactl launch --insecure --rm --name stranger {Busybox} sleep 1000
            for i in $(seq 60); do hyphactl logs member | grep -q joined && exit; sleep 0.5; done; exit 1
            """)).Succeeded();
        (int member, int stranger) = (await ReceivedAsync("member"), await ReceivedAsync("stranger"));
        (await host.Launch("--rm", [debian, "bash", "-c", send])).Succeeded();
        (member, stranger) = (await ReceivedAsync("member") - member, await ReceivedAsync("stranger") - stranger);
        string[] lines = (await host.Run("hyphactl logs member; hyphactl destroy member stranger >/dev/null")).Succeeded().Output.Split('\n');
        string[] all = [.. Enumerable.Range(1, 50).Select(i => $"{i}")];
        Assert.Equal(all, lines.Where(line => line.StartsWith("v4 ", StringComparison.Ordinal)).Select(line => line[3..]));
        Assert.Equal(all, lines.Where(line => line.StartsWith("v6 ", StringComparison.Ordinal)).Select(line => line[3..]));
        Assert.InRange(member, 100, 200);
        Assert.InRange(stranger, 0, 20);
    }

    /// <summary>Frames that a container got.</summary>
    private async Task<int> ReceivedAsync(string name)
    {
        string stats = (await host.Run($"hyphactl network stats --json {name}")).Succeeded().Output;
        return int.Parse(Regex.Match(stats, "\"framesReceived\": *([0-9]+)").Groups[1].Value);
    }
}
