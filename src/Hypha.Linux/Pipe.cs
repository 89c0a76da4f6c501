using Hypha.Linux.Native;

namespace Hypha.Linux;

public sealed record Pipe(FileDescriptor ReadEnd, FileDescriptor WriteEnd)
{
    /// <summary>Makes a pipe, both ends with O_CLOEXEC.</summary>
    public static unsafe Pipe Make()
    {
        int* ends = stackalloc int[2];
        return Libc.pipe2(ends, (int)OpenFlags.CloseOnExec) == 0
            ? new Pipe(new FileDescriptor(ends[0]), new FileDescriptor(ends[1]))
            : throw LinuxException.FromLastError("making a pipe");
    }
}
