using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypha.Linux.Native;

internal static partial class Libc
{
    // <termios.h>, <asm-generic/ioctls.h>, <poll.h>
    internal const int TCSANOW = 0;
    internal const nuint TIOCGWINSZ = 0x5413;
    internal const short POLLOUT = 4; // beside POLLIN in Libc.Events.cs

    /// <summary>struct termios of glibc and musl on x86-64 and arm64. Only libc looks inside.</summary>
    [InlineArray(60)]
    internal struct Termios
    {
        private byte _first;
    }

    internal struct WinSize
    {
        internal ushort ws_row;
        internal ushort ws_col;
        internal ushort ws_xpixel;
        internal ushort ws_ypixel;
    }

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int isatty(int fd);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int tcgetattr(int fd, out Termios attributes);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int tcsetattr(int fd, int actions, in Termios attributes);

    [LibraryImport(Name)]
    internal static partial void cfmakeraw(ref Termios attributes);
}
