using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>What happened to a file, or is waited for (epoll_ctl(2)).</summary>
[Flags]
public enum EpollEvents : uint
{
    None = 0,
    Readable = 0x1,
    Writable = 0x4,
    Error = 0x8,
    HangUp = 0x10,
    PeerClosed = 0x2000,
    EdgeTriggered = 1u << 31,
}

/// <summary>An event and whose it is: the number that was given with the file.</summary>
/// <remarks>Lies in memory as struct epoll_event of x86-64, which is packed.</remarks>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public readonly record struct EpollEvent(EpollEvents Events, ulong Token);

/// <summary>Waits for many files at once (epoll(7)).</summary>
public sealed class Epoll : IDisposable
{
    private readonly FileDescriptor _file;

    public Epoll()
    {
        int fd = Libc.epoll_create1(Libc.EPOLL_CLOEXEC);
        _file = fd >= 0 ? new FileDescriptor(fd) : throw LinuxException.FromLastError("making an epoll file");
    }

    /// <param name="file">Until it is closed or removed.</param>
    /// <exception cref="LinuxException">ENOSPC, ENOMEM: too many; EEXIST.</exception>
    public void Add(int file, EpollEvents events, ulong token) => Control(Libc.EPOLL_CTL_ADD, file, events, token, "waiting for");

    public void Change(int file, EpollEvents events, ulong token) => Control(Libc.EPOLL_CTL_MOD, file, events, token, "waiting otherwise for");

    public void Remove(int file) => Control(Libc.EPOLL_CTL_DEL, file, default, 0, "waiting no longer for");

    /// <param name="timeout">Milliseconds; -1 waits without end.</param>
    /// <returns>How many of <paramref name="events"/> were written; 0 after the time-out or a signal.</returns>
    // unsafe: the kernel fills the caller's span.
    public unsafe int Wait(Span<EpollEvent> events, int timeout)
    {
        fixed (EpollEvent* first = events)
        {
            int count = Libc.epoll_wait(_file.Number, (Libc.EpollEvent*)first, events.Length, timeout);
            return count >= 0 ? count
                : Marshal.GetLastPInvokeError() == (int)Errno.EINTR ? 0
                : throw LinuxException.FromLastError("waiting for files");
        }
    }

    public void Dispose() => _file.Dispose();

    private unsafe void Control(int operation, int file, EpollEvents events, ulong token, string doing)
    {
        var change = new Libc.EpollEvent { events = (uint)events, data = token };
        if (Libc.epoll_ctl(_file.Number, operation, file, &change) < 0)
            throw LinuxException.FromLastError($"{doing} file {file}");
    }
}
