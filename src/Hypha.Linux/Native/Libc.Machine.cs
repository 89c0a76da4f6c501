using System.Runtime.InteropServices;

namespace Hypha.Linux.Native;

internal static partial class Libc
{
    // <linux/reboot.h>
    internal const int LINUX_REBOOT_CMD_POWER_OFF = 0x4321FEDC;

    // <sys/inotify.h>
    internal const int IN_CLOEXEC = 0x80000;
    internal const uint IN_CREATE = 0x100;

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int reboot(int command);

    [LibraryImport(Name)]
    internal static partial void sync();

    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial int sethostname(byte* name, nuint length);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int inotify_init1(int flags);

    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int inotify_add_watch(int fd, string path, uint mask);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int fcntl(int fd, int command, nint argument);

    // glibc has no wrapper of finit_module(2). Variadic in C; on x86-64 and arm64 these are passed alike.
    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint syscall(nint number, nint a, nint b, nint c);
}
