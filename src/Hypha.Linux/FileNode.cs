using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>Makes the kinds of files that .NET does not.</summary>
public static class FileNode
{
    private const uint CharacterDevice = 0x2000; // S_IFCHR
    private const uint RegularFile = 0x8000; // S_IFREG

    /// <summary>Makes a directory; one that is there already stays as it is.</summary>
    public static void Directory(string path, uint mode)
    {
        if (Libc.mkdir(path, mode) < 0 && LastError() != Errno.EEXIST)
            throw LinuxException.FromLastError($"making the directory {path}");
    }

    /// <summary>Makes an empty file; anything that is there already stays as it is.</summary>
    public static void Empty(string path, uint mode)
    {
        if (Libc.mknod(path, RegularFile | mode, 0) < 0 && LastError() != Errno.EEXIST)
            throw LinuxException.FromLastError($"making {path}");
    }

    public static void Character(string path, uint mode, uint major, uint minor)
    {
        // makedev(3) for numbers below 256 and 4096.
        if (Libc.mknod(path, CharacterDevice | mode, (major << 8) | minor) < 0 && LastError() != Errno.EEXIST)
            throw LinuxException.FromLastError($"making the device {path}");
        Mode(path, mode);
    }

    public static void Link(string path, string target)
    {
        if (Libc.symlink(target, path) < 0 && LastError() != Errno.EEXIST)
            throw LinuxException.FromLastError($"linking {path} to {target}");
    }

    public static void Remove(string path)
    {
        if (Libc.unlink(path) < 0 && LastError() != Errno.ENOENT)
            throw LinuxException.FromLastError($"removing {path}");
    }

    public static void Mode(string path, uint mode)
    {
        if (Libc.chmod(path, mode) < 0)
            throw LinuxException.FromLastError($"changing the mode of {path}");
    }

    /// <summary>Sets the process's file creation mask.</summary>
    public static void CreationMask(uint mask) => Libc.umask(mask);

    private static Errno LastError() => (Errno)System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
}
