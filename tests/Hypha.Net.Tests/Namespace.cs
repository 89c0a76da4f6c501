using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hypha.Net.Tests;

/// <summary>
/// A network namespace for one thread: what a test opens there reaches nothing but what the test made. The host is 192.0.2.1 and 2001:db8::1 there; who
/// is sent to elsewhere in 192.0.2.0/24 and 2001:db8::/64 says nothing.
/// </summary>
internal static class Namespace
{
    internal const int CloneNewNet = 0x4000_0000; // CLONE_NEWNET, linux/sched.h

    private const string World = """
        set -e
        ip link set lo up
        ip link add v0 type veth peer name v1
        ip addr add 192.0.2.1/24 dev v0
        ip -6 addr add 2001:db8::1/64 dev v0 nodad
        ip link set v0 arp off up; ip link set v1 up
        sysctl -qw net.ipv4.ping_group_range="0 2147483647"
        """;

    public static void Run(Action test)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        OnThread(() =>
        {
            Assert.SkipUnless(Unshare(CloneNewNet) == 0, "network namespaces are not allowed here");
            Shell(World);
            test();
        });
    }

    /// <summary>A thread that changed its namespace is of no use for anything else.</summary>
    internal static void OnThread(Action work)
    {
        ExceptionDispatchInfo? error = null;
        var thread = new Thread(() =>
        {
            try
            {
                work();
            }
            catch (Exception caught)
            {
                error = ExceptionDispatchInfo.Capture(caught);
            }
        });
        thread.Start();
        thread.Join();
        error?.Throw();
    }

    /// <summary>Runs a shell's words in the namespace of the calling thread.</summary>
    public static void Shell(string script)
    {
        using Process process = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors);
    }

    [DllImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static extern int Unshare(int flags);
}

/// <summary>A network namespace beside the test's own, with a name that ip(8) knows.</summary>
internal sealed class OtherNamespace : IDisposable
{
    public OtherNamespace() => Namespace.Shell($"ip netns add {Name}");

    public string Name { get; } = $"hypha{Guid.NewGuid():n}"[..14];

    /// <summary>Has something made in it: a socket stays where it was opened.</summary>
    public T Run<T>(Func<T> make)
    {
        T made = default!;
        Namespace.OnThread(() =>
        {
            using SafeFileHandle file = File.OpenHandle($"/run/netns/{Name}");
            Assert.Equal(0, SetNamespace((int)file.DangerousGetHandle(), Namespace.CloneNewNet));
            made = make();
        });
        return made;
    }

    public void Dispose() => Namespace.Shell($"ip netns del {Name}");

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static extern int SetNamespace(int file, int kind);
}
