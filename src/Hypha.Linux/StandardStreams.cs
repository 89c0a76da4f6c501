using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

public enum StandardStream
{
    Input = 0,
    Output = 1,
    Error = 2,
}

/// <summary>
/// The process's own streams as bytes: read(2) and write(2) and nothing in between. .NET's console streams edit lines on a
/// terminal and hide a broken pipe; its file streams keep an offset of their own, which a shell's <c>(a; b) &gt; file</c> breaks.
/// </summary>
public static class StandardStreams
{
    /// <summary>Waits for input.</summary>
    /// <returns>The bytes read, 0 at the end.</returns>
    /// <exception cref="LinuxException">EIO when a terminal is gone or belongs to another job.</exception>
    public static unsafe int Read(Span<byte> buffer)
    {
        fixed (byte* p = buffer)
        {
            while (true)
            {
                nint n = Libc.read(0, p, (nuint)buffer.Length);
                if (n >= 0)
                    return (int)n;
                if (!Retry(0, Libc.POLLIN))
                    throw LinuxException.FromLastError("reading standard input");
            }
        }
    }

    /// <summary>Writes all bytes, and waits where the reader is slow.</summary>
    /// <exception cref="LinuxException">EPIPE when the reader is gone.</exception>
    public static unsafe void Write(StandardStream stream, ReadOnlySpan<byte> data)
    {
        fixed (byte* p = data)
        {
            for (nint done = 0; done < data.Length;)
            {
                nint n = Libc.write((int)stream, p + done, (nuint)(data.Length - done));
                if (n >= 0)
                    done += n;
                else if (!Retry((int)stream, Libc.POLLOUT))
                    throw LinuxException.FromLastError(stream == StandardStream.Error ? "writing to standard error" : "writing to standard output");
            }
        }
    }

    /// <summary>After a signal at once; on a stream that somebody else made non-blocking, once it is ready.</summary>
    private static unsafe bool Retry(int fd, short events)
    {
        var error = (Errno)Marshal.GetLastPInvokeError();
        if (error == Errno.EAGAIN)
        {
            var poll = new Libc.PollFd { fd = fd, events = events };
            _ = Libc.poll(&poll, 1, -1);
        }
        return error is Errno.EINTR or Errno.EAGAIN;
    }
}
