using System.Diagnostics;
using Hypha.Net.Gateway;
using Hypha.Net.Link;
using Hypha.Net.Loop;
using Hypha.Net.Switch;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Gateway;

/// <summary>Two Linux hosts, each in a namespace of its own behind a veth, on one network: what their own stacks make of groups.</summary>
public sealed class RealGroupTests
{
    [Theory]
    [InlineData("UDP4-RECVFROM:5000,ip-add-membership=239.1.2.3:eth0", "UDP4-DATAGRAM:239.1.2.3:5000,ip-multicast-ttl=1", "239.1.2.3", "")]
    [InlineData("UDP4-RECVFROM:5353,ip-add-membership=224.0.0.251:eth0", "UDP4-DATAGRAM:224.0.0.251:5353", "224.0.0.251", "net.ipv4.conf.eth0.force_igmp_version=2")]
    [InlineData("UDP6-RECVFROM:5353,ipv6-join-group=[ff02::fb]:eth0", "UDP6-DATAGRAM:[ff02::fb%eth0]:5353", "ff02::fb", "")]
    [InlineData("UDP6-RECVFROM:5000,ipv6-join-group=[ff05::1234]:eth0", "UDP6-DATAGRAM:[ff05::1234]:5000", "ff05::1234", "net.ipv6.conf.eth0.force_mld_version=1")]
    public void Who_joins_a_group_hears_who_speaks_to_it_and_leaves_it(string listener, string speaker, string group, string setting) => Namespace.Run(() =>
    {
        using var hosts = new Hosts(setting);
        using Process listening = hosts.Begin(1, $"exec timeout 30 socat -u {listener} -");
        // Nobody tells us but the host itself.
        hosts.Until(() => hosts.Network.Groups.Find(Frames.Address(group), out _) is not null);
        Assert.Equal((0, 1), (hosts[0].Groups!.Count, hosts[1].Groups!.Count));
        using Process speaking = hosts.Begin(0, $"echo hello | timeout 30 socat -u - {speaker}");
        hosts.Until(() => listening.HasExited);
        Assert.Equal("hello\n", listening.StandardOutput.ReadToEnd());
        hosts.Until(() => hosts[1].Groups!.Count == 0); // with its socket
        Assert.Equal((1ul, 0ul, 0ul), (hosts[0].Counters.Forwarded, hosts[0].Counters.Spoofed, hosts[0].Counters.Malformed));
    });

    [Fact]
    public void Who_joined_before_anybody_listened_is_found_by_asking() => Namespace.Run(() =>
    {
        // It says at once what it joins, and again in an hour at most: what comes soon is an answer.
        using var hosts = new Hosts("net.ipv4.conf.eth0.igmpv3_unsolicited_report_interval=3600000 net.ipv6.conf.eth0.mldv2_unsolicited_report_interval=3600000");
        using Process listening = hosts.Begin(1, "timeout 30 socat -u UDP4-RECV:5000,ip-add-membership=239.1.2.3:eth0 - & timeout 30 socat -u UDP6-RECV:5001,ipv6-join-group=[ff05::1234]:eth0 - & wait");
        hosts.Until(() => hosts[1].Groups!.Count == 2);
        hosts[1].LeaveGroups();
        hosts[1].Announce();
        hosts.Until(() => hosts[1].Groups!.Count == 2);
        listening.Kill(entireProcessTree: true);
    });

    /// <summary>10.75.0.2 and 10.75.0.3, each with the address that IPv6 makes of its MAC.</summary>
    private sealed class Hosts : IDisposable
    {
        private readonly EventLoop _loop = new();
        private readonly Process[] _places = new Process[2];
        private readonly Attachment[] _guests = new Attachment[2];

        public Hosts(string setting = "")
        {
            for (int i = 0; i < 2; i++)
            {
                // A process holds the namespace, until its input ends.
                _places[i] = Start("unshare", ["-n", "bash", "-c", "echo ready; read"]);
                Assert.Equal("ready", _places[i].StandardOutput.ReadLine());
                var mac = new MacAddress(0x0275_0A4B_0002 + (ulong)i);
                Namespace.Shell($"""
                    set -e
                    ip link add g{i} type veth peer name eth0 netns {_places[i].Id}
                    nsenter -n -t {_places[i].Id} bash -c 'set -e; ip link set eth0 address {mac}; ip link set lo up
                    sysctl -qw net.ipv6.conf.eth0.accept_dad=0 {setting}
                    ip addr add 10.75.0.{2 + i}/16 dev eth0; ip link set eth0 up; ip route add default via 10.75.0.1'
                    ip link set g{i} up
                    """);
                Assert.True(Subnet.TryParse($"10.75.0.{2 + i}/16", out Subnet v4) & Subnet.TryParse($"fd75::{2 + i}/64", out Subnet v6));
                _guests[i] = new Attachment(_loop, new InterfaceLink(_loop, $"g{i}"), new GuestConfiguration
                {
                    Mac = mac,
                    V4 = v4,
                    V6 = v6,
                    GatewayV4 = Frames.Address("10.75.0.1"),
                    GatewayV6 = Frames.Address("fd75::1"),
                }, Network);
                Assert.True(Network.TryAdd(_guests[i]));
            }
        }

        public NetworkSwitch Network { get; } = new("default");

        public Attachment this[int host] => _guests[host];

        /// <summary>Runs a shell's words in a host.</summary>
        public Process Begin(int host, string script) => Start("nsenter", ["-n", "-t", $"{_places[host].Id}", "bash", "-c", script]);

        public void Until(Func<bool> condition)
        {
            var clock = Stopwatch.StartNew();
            while (!condition())
            {
                Assert.True(clock.Elapsed.TotalSeconds < 20, "it did not come to be within 20 s");
                _loop.Post(() => { }); // no turn waits for long
                _loop.Once();
                Thread.Yield();
            }
        }

        public void Dispose()
        {
            foreach (Attachment guest in _guests)
                guest?.Dispose();
            foreach (Process place in _places)
            {
                place?.StandardInput.Close();
                place?.WaitForExit();
                place?.Dispose();
            }
            _loop.Dispose();
        }

        private static Process Start(string program, string[] arguments) =>
            Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
    }
}
