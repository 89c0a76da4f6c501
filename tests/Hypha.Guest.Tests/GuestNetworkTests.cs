using System.Diagnostics;
using Hypha.Guest.Start;
using Hypha.Linux;
using NetworkInterface = Hypha.Protocol.Guest.NetworkInterface;

namespace Hypha.Guest.Tests;

/// <summary>In a network namespace of the test's own, on one end of a pair of interfaces.</summary>
public sealed class GuestNetworkTests
{
    private const string Mac = "02:75:0a:4b:00:02";

    [Fact]
    public void An_interface_that_is_moved_keeps_nothing_of_where_it_was() => InNamespace(() =>
    {
        var console = new InitConsole(null);
        var first = new NetworkInterface { Mac = Mac, Mtu = 1_500, Addresses = { "10.75.0.2/16", "fd75::2/64" }, Gateways = { "10.75.0.1", "fd75::1" } };
        GuestNetwork.Apply([first], console);
        string before = Show();
        Assert.Contains("inet 10.75.0.2/16 ", before, StringComparison.Ordinal);
        Assert.Contains("default via 10.75.0.1 dev eth0", before, StringComparison.Ordinal);
        Assert.Contains("default via fd75::1 dev eth0", before, StringComparison.Ordinal);

        // What the container made of it itself goes, too.
        Run("ip -6 address add fd75::77/64 dev eth0 nodad; ip route add 192.0.2.0/24 via 10.75.0.9; ip -6 route add 2001:db8::/32 via fd75::9");
        GuestNetwork.Change(new NetworkInterface { Mac = Mac, Mtu = 1_400, Addresses = { "10.90.0.2/24", "fd90::2/64" }, Gateways = { "10.90.0.1", "fd90::1" } }, console);
        string after = Show();
        foreach (string there in new[] { "mtu 1400", "inet 10.90.0.2/24 ", "inet6 fd90::2/64 ", "default via 10.90.0.1 dev eth0", "default via fd90::1 dev eth0", "state UP" })
            Assert.Contains(there, after, StringComparison.Ordinal);
        foreach (string gone in new[] { "10.75.", "fd75:", "192.0.2.", "2001:db8:" })
            Assert.DoesNotContain(gone, after, StringComparison.Ordinal);

        GuestNetwork.Change(new NetworkInterface { Mac = Mac }, console);
        string alone = Show();
        Assert.Contains("state UP", alone, StringComparison.Ordinal);
        foreach (string gone in new[] { "inet 10.", "inet6 fd", "default via" })
            Assert.DoesNotContain(gone, alone, StringComparison.Ordinal);

        GuestNetwork.Change(first, console);
        Assert.Equal(before, Show());
    });

    private static string Show() => Run("ip address show dev eth0 | sed 's/^[0-9]*: //; s/ tentative//'; ip route; ip -6 route | sort");

    private static string Run(string script)
    {
        using Process process = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string output = process.StandardOutput.ReadToEnd(), errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0 && errors.Length == 0, errors);
        return output;
    }

    // A thread of its own, for it leaves the process's namespaces, and cannot come back. /sys shows the namespace of who mounted it.
    private static void InNamespace(Action test)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Namespaces.Unshare(NamespaceKinds.Network | NamespaceKinds.Mount | NamespaceKinds.FileSystemAttributes);
                Mount.MakePrivate("/");
                Mount.FileSystem("sysfs", "sysfs", "/sys");
                Run($"ip link add eth0 address {Mac} type veth peer name other; ip link set other up");
                test();
            }
            catch (Exception error)
            {
                failure = error;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }
}
