using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>Mounting, and the calling thread's root.</summary>
public static class Mount
{
    /// <exception cref="LinuxException">Names what was mounted and where.</exception>
    public static void FileSystem(string type, string source, string target, MountFlags flags = MountFlags.None, string? options = null)
    {
        if (Libc.mount(source, target, type, (nuint)flags, options) < 0)
            throw LinuxException.FromLastError($"mounting {type} {(source == type ? "" : $"({source}) ")}on {target}");
    }

    /// <summary>Shows a file or tree at a second place.</summary>
    public static void Bind(string source, string target, bool recursive = false)
    {
        if (Libc.mount(source, target, null, (nuint)(MountFlags.Bind | (recursive ? MountFlags.Recursive : 0)), null) < 0)
            throw LinuxException.FromLastError($"binding {source} to {target}");
    }

    /// <summary>Changes the flags of the one mount at <paramref name="target"/>, not of the file system under it.</summary>
    public static void Remount(string target, MountFlags flags)
    {
        if (Libc.mount("none", target, null, (nuint)(flags | MountFlags.Remount | MountFlags.Bind), null) < 0)
            throw LinuxException.FromLastError($"mounting {target} anew as {flags}");
    }

    /// <summary>Keeps what happens to mounts below <paramref name="target"/> from other mount namespaces.</summary>
    public static void MakePrivate(string target)
    {
        if (Libc.mount("none", target, null, (nuint)(MountFlags.Private | MountFlags.Recursive), null) < 0)
            throw LinuxException.FromLastError($"making the mounts at {target} private");
    }

    /// <summary>Moves the mount at <paramref name="tree"/> over the root and makes it the calling thread's root and directory.</summary>
    public static void SwitchRoot(string tree)
    {
        // pivot_root(2) refuses the initramfs; this is what switch_root(8) does.
        if (Libc.chdir(tree) < 0
            || Libc.mount(".", "/", null, (nuint)MountFlags.Move, null) < 0
            || Libc.chroot(".") < 0
            || Libc.chdir("/") < 0)
            throw LinuxException.FromLastError($"making {tree} the root");
    }

    /// <summary>Makes a directory the calling thread's root, and the directory it is in. Only for a thread that shares them with no other.</summary>
    public static void EnterRoot(string directory)
    {
        if (Libc.chdir(directory) < 0 || Libc.chroot(".") < 0 || Libc.chdir("/") < 0)
            throw LinuxException.FromLastError($"entering {directory}");
    }

    /// <summary>Takes a mount away at once, whoever still uses it.</summary>
    public static void Detach(string target)
    {
        const int detach = 2; // MNT_DETACH
        if (Libc.umount2(target, detach) < 0)
            throw LinuxException.FromLastError($"unmounting {target}");
    }
}

/// <summary>mount(2) flags, linux/mount.h.</summary>
[Flags]
public enum MountFlags : uint
{
    None = 0,
    ReadOnly = 1,
    NoSuid = 2,
    NoDevices = 4,
    NoExecute = 8,
    Remount = 32,
    Bind = 4096,
    Move = 8192,
    Recursive = 16384,
    Private = 1 << 18,
    RelativeAccessTimes = 1 << 21,
    StrictAccessTimes = 1 << 24,
}
