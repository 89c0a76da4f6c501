using System.Runtime.InteropServices;

namespace Hypha.Linux.Native;

internal static partial class Libc
{
    // <unistd.h>
    [LibraryImport(Name, SetLastError = true)]
    internal static partial int fsync(int fd);
}
