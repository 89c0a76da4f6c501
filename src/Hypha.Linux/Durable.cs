using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>Changes of names that outlive a power failure: .NET flushes files, but not the directories that name them.</summary>
public static class Durable
{
    /// <summary>Replaces a file as a whole: whoever reads sees the old content or the new.</summary>
    public static void WriteFile(string path, ReadOnlySpan<byte> content)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                RandomAccess.Write(file, content, 0);
                RandomAccess.FlushToDisk(file);
            }
            File.Move(temporary, path, overwrite: true);
            FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Makes what was created, renamed or removed in a directory permanent.</summary>
    /// <exception cref="LinuxException">With the directory in its message.</exception>
    public static void FlushDirectory(string directory)
    {
        using FileDescriptor descriptor = FileDescriptor.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory);
        // EINVAL: a file system that has nothing to flush.
        if (Libc.fsync(descriptor.Number) < 0 && Marshal.GetLastPInvokeError() is not (int)Errno.EINVAL)
            throw LinuxException.FromLastError($"flushing {directory}");
    }
}
