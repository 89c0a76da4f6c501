using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>The terminal behind a standard stream: whether there is one, its size, and raw mode.</summary>
public static class Terminal
{
    public static bool Is(StandardStream stream) => Libc.isatty((int)stream) == 1;

    /// <summary>The terminal's size, or null where there is none or it does not know (a serial line says 0 by 0).</summary>
    public static unsafe (int Columns, int Rows)? Size(StandardStream stream)
    {
        Libc.WinSize size = default;
        return Libc.ioctl((int)stream, Libc.TIOCGWINSZ, (nint)(&size)) == 0 && size is { ws_col: > 0, ws_row: > 0 }
            ? (size.ws_col, size.ws_row)
            : null;
    }

    /// <summary>Passes every byte through in both directions, signals and line ends included, until the result is disposed.</summary>
    /// <exception cref="LinuxException">ENOTTY when the stream is no terminal.</exception>
    public static RawMode EnterRaw(StandardStream stream) => new((int)stream);
}

/// <summary>A terminal in raw mode; disposing it, from any thread and any number of times, gives back the mode before.</summary>
public sealed class RawMode : IDisposable
{
    private readonly int _fd;
    private readonly Libc.Termios _before;
    private int _restored;

    internal RawMode(int fd)
    {
        _fd = fd;
        if (Libc.tcgetattr(fd, out _before) < 0)
            throw LinuxException.FromLastError("reading the terminal's mode");
        var raw = _before;
        Libc.cfmakeraw(ref raw);
        if (Libc.tcsetattr(fd, Libc.TCSANOW, raw) < 0)
            throw LinuxException.FromLastError("putting the terminal into raw mode");
    }

    public void Dispose()
    {
        // A terminal that is gone by now needs no restoring, so the result says nothing.
        // TCSANOW: waiting for output to drain would hang on a terminal that was stopped with Ctrl+S.
        if (Interlocked.Exchange(ref _restored, 1) == 0)
            _ = Libc.tcsetattr(_fd, Libc.TCSANOW, _before);
    }
}
