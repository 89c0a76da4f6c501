using Hypha.Linux.Native;
using System.Runtime.InteropServices;

namespace Hypha.Linux;

/// <summary>A flag that a thread can wait for together with other files (eventfd(2)): what ends a blocking wait from outside.</summary>
public sealed class EventFile : IDisposable
{
    private readonly FileDescriptor _file;

    public EventFile()
    {
        int fd = Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
        _file = fd >= 0 ? new FileDescriptor(fd) : throw LinuxException.FromLastError("making an eventfd");
    }

    /// <summary>To wait for with others, readable once it is set; closed with this object.</summary>
    public int Number => _file.Number;

    public void Set()
    {
        Span<byte> one = [1, 0, 0, 0, 0, 0, 0, 0];
        _file.Write(one, "writing to an eventfd");
    }

    /// <summary>The flag is not set any more, if it was.</summary>
    public void Clear()
    {
        Span<byte> count = stackalloc byte[8];
        try
        {
            _file.Read(count, "reading an eventfd");
        }
        catch (LinuxException error) when (error.Error == Errno.EAGAIN)
        {
            // it was not
        }
    }

    /// <summary>Waits, without a timeout, until there is something to read from <paramref name="file"/> or this flag is set.</summary>
    /// <returns>False when the flag is set.</returns>
    // unsafe: the kernel writes its answer into this frame of the stack.
    public unsafe bool WaitReadable(FileDescriptor file)
    {
        Libc.PollFd* files = stackalloc Libc.PollFd[2];
        bool fileHeld = false, flagHeld = false;
        try
        {
            file.DangerousAddRef(ref fileHeld);
            _file.DangerousAddRef(ref flagHeld);
            files[0] = new Libc.PollFd { fd = file.Number, events = Libc.POLLIN };
            files[1] = new Libc.PollFd { fd = _file.Number, events = Libc.POLLIN };
            while (Libc.poll(files, 2, -1) < 0)
                if (Marshal.GetLastPInvokeError() != (int)Errno.EINTR)
                    throw LinuxException.FromLastError("waiting for a file");
            return files[1].revents == 0;
        }
        finally
        {
            if (fileHeld)
                file.DangerousRelease();
            if (flagHeld)
                _file.DangerousRelease();
        }
    }

    public void Dispose() => _file.Dispose();
}
