using Hypha.Linux;

namespace Hypha.Guest.Start;

/// <summary>What the init itself works with, in the initramfs: kernel file systems, and the container's root before it is one.</summary>
public static class InitFileSystems
{
    public const string Root = "/run/hypha/root";

    private const string Image = "/run/hypha/image";
    private const string Overlay = "/run/hypha/overlay";
    private const uint DirectoryMode = 0x1ED; // 0755

    public static void MountKernels()
    {
        FileNode.CreationMask(0);
        foreach (string directory in (string[])["/proc", "/sys", "/dev", "/run", "/run/hypha", Image, Overlay, Root])
            FileNode.Directory(directory, DirectoryMode);
        Once("proc", "/proc");
        Once("sysfs", "/sys");
        Once("devtmpfs", "/dev");
    }

    /// <summary>Enables every controller below the root of the control groups, so that the container's own group has them.</summary>
    public static void EnableControllers(InitConsole console)
    {
        const string groups = "/sys/fs/cgroup";
        try
        {
            Once("cgroup2", groups);
            foreach (string controller in File.ReadAllText($"{groups}/cgroup.controllers").Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
                File.WriteAllText($"{groups}/cgroup.subtree_control", $"+{controller}");
        }
        catch (IOException e)
        {
            console.Debug($"control groups: {e.Message}");
        }
    }

    /// <summary>Mounts the image read-only and a writable layer of memory over it.</summary>
    public static void MountRoot(Protocol.Guest.Root root)
    {
        try
        {
            string type = root.FsType.Length > 0 ? root.FsType : "squashfs";
            Mount.FileSystem(type, root.Device, Image, MountFlags.ReadOnly);
            string? size = root.OverlaySize > 0 ? $"size={root.OverlaySize}" : null;
            Mount.FileSystem("tmpfs", "tmpfs", Overlay, MountFlags.None, size);
            // The root directory's mode and owner are the upper layer's.
            FileNode.Directory($"{Overlay}/upper", (uint)File.GetUnixFileMode(Image));
            FileNode.Directory($"{Overlay}/work", DirectoryMode);
            Mount.FileSystem("overlay", "overlay", Root, MountFlags.None, $"lowerdir={Image},upperdir={Overlay}/upper,workdir={Overlay}/work");
        }
        catch (LinuxException e)
        {
            throw new StartException(StartException.CannotStart, $"the image cannot be mounted: {e.Message}", e);
        }
    }

    // A kernel may have mounted devtmpfs by itself.
    private static void Once(string type, string target)
    {
        try
        {
            Mount.FileSystem(type, type, target);
        }
        catch (LinuxException e) when (e.Error == Errno.EBUSY)
        {
        }
    }
}
