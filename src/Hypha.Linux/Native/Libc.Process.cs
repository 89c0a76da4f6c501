using System.Runtime.InteropServices;

namespace Hypha.Linux.Native;

internal static partial class Libc
{
    // <bits/waitflags.h>, <bits/siginfo-consts.h>
    internal const int P_ALL = 0;
    internal const int WEXITED = 4;
    internal const int CLD_EXITED = 1;

    // <signal.h>
    internal const nint SIG_DFL = 0;
    internal const int SIG_SETMASK = 2;

    // <linux/close_range.h>
    internal const uint CLOSE_RANGE_CLOEXEC = 4;

    /// <summary>posix_spawn_file_actions_t: 80 bytes in glibc on x86-64 and arm64, and in musl. Only libc looks inside.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    internal struct SpawnFileActions;

    /// <summary>posix_spawnattr_t: 336 bytes in glibc and musl.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 384)]
    internal struct SpawnAttributes;

    /// <summary>siginfo_t as waitid(2) fills it.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    internal struct SigInfo
    {
        [FieldOffset(0)] internal int si_signo;
        [FieldOffset(8)] internal int si_code;
        [FieldOffset(16)] internal int si_pid; // the union is aligned to 8 bytes
        [FieldOffset(24)] internal int si_status;
    }

    internal struct RLimit
    {
        internal ulong rlim_cur;
        internal ulong rlim_max;
    }

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int unshare(int flags);

    // The posix_spawn family returns its error and leaves errno alone.
    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int posix_spawn(
        out int pid, string path, in SpawnFileActions actions, SpawnAttributes* attributes, byte** arguments, byte** environment);

    [LibraryImport(Name)]
    internal static partial int posix_spawn_file_actions_init(ref SpawnFileActions actions);

    [LibraryImport(Name)]
    internal static partial int posix_spawn_file_actions_adddup2(ref SpawnFileActions actions, int fd, int newFd);

    [LibraryImport(Name)]
    internal static partial int posix_spawn_file_actions_destroy(ref SpawnFileActions actions);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int waitid(int idType, uint id, out SigInfo info, int options);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int kill(int pid, int signal);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int setsid();

    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial int setgroups(nuint count, uint* groups);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int setresgid(uint real, uint effective, uint saved);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int setresuid(uint real, uint effective, uint saved);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int setrlimit(int resource, in RLimit limit);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int getrlimit(int resource, out RLimit limit);

    [LibraryImport(Name)]
    internal static partial nint signal(int number, nint handler);

    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial int sigprocmask(int how, ulong* set, ulong* old);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int close_range(uint first, uint last, uint flags);

    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int execve(string path, byte** arguments, byte** environment);

    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial int pipe2(int* ends, int flags);

    [LibraryImport(Name)]
    internal static partial void _exit(int status);
}
