using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>What a process does to itself on its way to becoming another program. For single-purposed processes alone.</summary>
public static class CallingProcess
{
    private const int HighestSignal = 64; // _NSIG

    public static void BecomeSessionLeader()
    {
        if (Libc.setsid() < 0)
            throw LinuxException.FromLastError("making a session");
    }

    /// <summary>May open as many files as its hard limit allows.</summary>
    public static void RaiseOpenFiles()
    {
        const int openFiles = 7; // RLIMIT_NOFILE
        if (Libc.getrlimit(openFiles, out Libc.RLimit limit) < 0)
            throw LinuxException.FromLastError("asking how many files may be open");
        SetLimit(openFiles, limit.rlim_max, limit.rlim_max);
    }

    /// <summary>Sets groups first and the user last: after it the process may not have the right to the others.</summary>
    public static unsafe void SetIdentity(uint user, uint group, ReadOnlySpan<uint> additionalGroups)
    {
        fixed (uint* groups = additionalGroups)
            if (Libc.setgroups((nuint)additionalGroups.Length, groups) < 0)
                throw LinuxException.FromLastError("setting the additional groups");
        if (Libc.setresgid(group, group, group) < 0)
            throw LinuxException.FromLastError($"becoming group {group}");
        if (Libc.setresuid(user, user, user) < 0)
            throw LinuxException.FromLastError($"becoming user {user}");
    }

    /// <param name="resource">The number of RLIMIT_*, asm-generic/resource.h.</param>
    public static void SetLimit(int resource, ulong soft, ulong hard)
    {
        if (Libc.setrlimit(resource, new Libc.RLimit { rlim_cur = soft, rlim_max = hard }) < 0)
            throw LinuxException.FromLastError($"setting resource limit {resource} to {soft}, {hard} at most");
    }

    public static void ChangeDirectory(string path)
    {
        if (Libc.chdir(path) < 0)
            throw LinuxException.FromLastError($"entering {path}");
    }

    /// <summary>Gives every signal its default action and unblocks all: a program keeps what its parent ignores or blocks.</summary>
    public static unsafe void ResetSignals()
    {
        for (int number = 1; number <= HighestSignal; number++)
            Libc.signal(number, Libc.SIG_DFL); // refused for SIGKILL, SIGSTOP and libc's own two
        ulong* none = stackalloc ulong[16];
        new Span<ulong>(none, 16).Clear();
        Libc.sigprocmask(Libc.SIG_SETMASK, none, null);
    }

    /// <summary>Writing to a pipe that nobody reads becomes an error instead of the end.</summary>
    public static void IgnoreBrokenPipes() => Libc.signal(13, 1); // SIGPIPE, SIG_IGN

    /// <summary>Closes all descriptors from <paramref name="first"/> on when the next program starts.</summary>
    public static void CloseOnExecute(int first)
    {
        if (Libc.close_range((uint)first, uint.MaxValue, Libc.CLOSE_RANGE_CLOEXEC) < 0)
            throw LinuxException.FromLastError("marking descriptors to be closed");
    }

    /// <summary>Becomes another program; returns only when that failed.</summary>
    public static unsafe Errno Execute(string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        using var argv = new CStringArray(arguments);
        using var envp = new CStringArray(environment);
        Libc.execve(path, argv.Pointer, envp.Pointer);
        return (Errno)Marshal.GetLastPInvokeError();
    }

    /// <summary>Ends at once: no finalizers, no handlers.</summary>
    public static void Exit(int status) => Libc._exit(status);
}
