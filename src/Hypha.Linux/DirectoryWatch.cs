using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>Waits for files to appear in a directory (inotify(7)), without looking again and again.</summary>
public sealed class DirectoryWatch : IDisposable
{
    private readonly FileDescriptor _events;
    private readonly byte[] _buffer = new byte[4096];

    public DirectoryWatch(string directory)
    {
        int fd = Libc.inotify_init1(Libc.IN_CLOEXEC);
        _events = fd >= 0 ? new FileDescriptor(fd) : throw LinuxException.FromLastError("watching a directory");
        if (Libc.inotify_add_watch(fd, directory, Libc.IN_CREATE) >= 0)
            return;
        var failure = LinuxException.FromLastError($"watching {directory}");
        _events.Dispose();
        throw failure;
    }

    /// <summary>Waits until <paramref name="path"/>, in the directory, is there.</summary>
    /// <returns>False when the deadline passed.</returns>
    public unsafe bool WaitFor(string path, TimeSpan deadline)
    {
        long end = Environment.TickCount64 + (long)deadline.TotalMilliseconds;
        while (!File.Exists(path))
        {
            long left = end - Environment.TickCount64;
            if (left <= 0)
                return false;
            var file = new Libc.PollFd { fd = _events.Number, events = Libc.POLLIN };
            int ready = Libc.poll(&file, 1, (int)Math.Min(left, int.MaxValue));
            if (ready < 0 && (Errno)Marshal.GetLastPInvokeError() != Errno.EINTR)
                throw LinuxException.FromLastError($"waiting for {path}");
            if (ready > 0)
                _events.Read(_buffer, "reading a directory's events");
        }
        return true;
    }

    public void Dispose() => _events.Dispose();
}
