using System.Runtime.InteropServices;

namespace Hypha.Linux.Native;

/// <summary>
/// libc's functions, the only declarations of them. One partial file per subject (Libc.Memory.cs, Libc.Mount.cs, ...);
/// this one holds descriptors. Callers are the types above this folder, in this project alone, and through
/// InternalsVisibleTo nobody else.
/// </summary>
internal static partial class Libc
{
    private const string Name = "libc";

    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags, uint mode);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int close(int fd);

    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial nint read(int fd, byte* buffer, nuint count);

    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial nint write(int fd, byte* buffer, nuint count);

    // The third argument is variadic in C; on x86-64 and arm64 Linux a pointer-sized argument is passed alike.
    [LibraryImport(Name, SetLastError = true)]
    internal static partial int ioctl(int fd, nuint request, nint argument);
}
