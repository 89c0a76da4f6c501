using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>An open file of any kind that .NET's own handles do not cover: devices, epoll, eventfd, sockets passed over.</summary>
public sealed class FileDescriptor : SafeHandle
{
    public FileDescriptor(int fd) : base(-1, ownsHandle: true) => SetHandle(fd);

    public override bool IsInvalid => handle < 0;

    /// <summary>The number, for as long as the caller keeps this handle alive.</summary>
    public int Number => (int)handle;

    /// <summary>Opens a path with O_CLOEXEC.</summary>
    /// <exception cref="LinuxException">With the path in its message.</exception>
    public static FileDescriptor Open(string path, OpenFlags flags, uint mode = 0)
    {
        int fd;
        do
            fd = Libc.open(path, (int)(flags | OpenFlags.CloseOnExec), mode);
        while (fd < 0 && Marshal.GetLastPInvokeError() == (int)Errno.EINTR);
        return fd >= 0 ? new FileDescriptor(fd) : throw LinuxException.FromLastError($"opening {path}");
    }

    /// <summary>Calls ioctl(2); restarts it after a signal.</summary>
    /// <returns>The call's result, zero or more.</returns>
    /// <exception cref="LinuxException"><paramref name="what"/> is its subject: "mapping 3 grants of domain 7".</exception>
    public int Ioctl(nuint request, nint argument, string what)
    {
        int result = TryIoctl(request, argument);
        return result >= 0 ? result : throw LinuxException.FromLastError(what);
    }

    /// <summary>As <see cref="Ioctl"/>, but returns -1 with the error in <see cref="Marshal.GetLastPInvokeError"/>.</summary>
    public int TryIoctl(nuint request, nint argument)
    {
        bool added = false;
        try
        {
            DangerousAddRef(ref added);
            int result;
            do
                result = Libc.ioctl((int)handle, request, argument);
            while (result < 0 && Marshal.GetLastPInvokeError() == (int)Errno.EINTR);
            return result;
        }
        finally
        {
            if (added)
                DangerousRelease();
        }
    }

    /// <summary>Reads at most <c>buffer.Length</c> bytes; 0 at the end.</summary>
    /// <exception cref="LinuxException">Any error but EINTR, which is retried; EAGAIN included.</exception>
    public int Read(Span<byte> buffer, string what)
    {
        int n = TryRead(buffer);
        return n >= 0 ? n : throw new LinuxException(what, (Errno)(-n));
    }

    /// <summary>As <see cref="Read"/>, but returns a negative <see cref="Errno"/>.</summary>
    public unsafe int TryRead(Span<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            while (true)
            {
                nint n = Libc.read((int)handle, p, (nuint)buffer.Length);
                if (n >= 0)
                    return (int)n;
                int error = Marshal.GetLastPInvokeError();
                if (error != (int)Errno.EINTR)
                    return -error;
            }
        }
    }

    /// <summary>Writes once; the count may be short.</summary>
    public unsafe int Write(ReadOnlySpan<byte> buffer, string what)
    {
        fixed (byte* p = buffer)
        {
            nint n;
            do
                n = Libc.write((int)handle, p, (nuint)buffer.Length);
            while (n < 0 && Marshal.GetLastPInvokeError() == (int)Errno.EINTR);
            return n >= 0 ? (int)n : throw LinuxException.FromLastError(what);
        }
    }

    /// <summary>The same open file under a second number, <paramref name="lowest"/> or more, with O_CLOEXEC.</summary>
    public FileDescriptor DuplicateFrom(int lowest)
    {
        const int duplicate = 1030; // F_DUPFD_CLOEXEC
        bool added = false;
        try
        {
            DangerousAddRef(ref added);
            int fd = Libc.fcntl((int)handle, duplicate, lowest);
            return fd >= 0 ? new FileDescriptor(fd) : throw LinuxException.FromLastError("duplicating a descriptor");
        }
        finally
        {
            if (added)
                DangerousRelease();
        }
    }

    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}

/// <summary>open(2) flags, asm-generic/fcntl.h.</summary>
[Flags]
public enum OpenFlags
{
    ReadOnly = 0,
    WriteOnly = 1,
    ReadWrite = 2,
    Create = 0x40,
    Exclusive = 0x80,
    NoControllingTerminal = 0x100,
    Truncate = 0x200,
    Append = 0x400,
    NonBlocking = 0x800,
    Direct = 0x4000,
    Directory = 0x10000,
    NoFollow = 0x20000,
    CloseOnExec = 0x80000,
    Path = 0x200000,
}
