using Hypha.Linux;
using Hypha.Protocol.Guest;

namespace Hypha.Guest.Start;

/// <summary>
/// What docker mounts into a container (moby's oci/defaults.go and runc), laid by a thread whose root is the container's already:
/// so a symbolic link of the image leads nowhere but into the image.
/// </summary>
public static class ContainerFileSystems
{
    private const uint DirectoryMode = 0x1ED; // 0755
    private const uint AllMayReadAndWrite = 0x1B6; // 0666
    private const MountFlags Inert = MountFlags.NoSuid | MountFlags.NoDevices | MountFlags.NoExecute;

    private static readonly (string Name, uint Major, uint Minor)[] s_devices =
    [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ];

    private static readonly (string Path, string Target)[] s_links =
    [
        ("/dev/ptmx", "pts/ptmx"), ("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0"),
        ("/dev/stdout", "/proc/self/fd/1"), ("/dev/stderr", "/proc/self/fd/2"), ("/dev/core", "/proc/kcore"),
    ];

    // moby's masked and read-only paths. The kernel is the container's own, so they guard nobody else; programs that probe them see what they see under docker.
    private static readonly string[] s_masked =
    [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ];

    private static readonly string[] s_readOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    /// <summary>Lays everything but what depends on the container's own pid and cgroup namespaces. /proc is the init's for the moment.</summary>
    public static void Lay()
    {
        At("/proc", "proc", Inert);
        At("/dev", "tmpfs", MountFlags.NoSuid | MountFlags.StrictAccessTimes, "mode=755,size=65536k");
        At("/dev/pts", "devpts", MountFlags.NoSuid | MountFlags.NoExecute, "newinstance,ptmxmode=0666,mode=0620,gid=5");
        At("/dev/shm", "tmpfs", Inert, "mode=1777,size=65536k");
        At("/dev/mqueue", "mqueue", Inert);
        At("/sys", "sysfs", Inert | MountFlags.ReadOnly);
        foreach ((string name, uint major, uint minor) in s_devices)
            FileNode.Character($"/dev/{name}", AllMayReadAndWrite, major, minor);
        foreach ((string path, string target) in s_links)
            FileNode.Link(path, target);
    }

    /// <summary>The terminal as /dev/console, as docker does.</summary>
    public static void LayConsole(string terminal)
    {
        FileNode.Empty("/dev/console", 0x190); // 0620
        Mount.Bind(terminal, "/dev/console");
    }

    /// <summary>Files of the host's making, in place of the image's own.</summary>
    public static void Write(IEnumerable<Protocol.Guest.File> files)
    {
        foreach (Protocol.Guest.File file in files)
        {
            if (!file.Path.StartsWith('/') || file.Path.Contains('\0'))
                throw new StartException(StartException.CannotStart, $"the configuration names a file without an absolute path: {file.Path}");
            MakeDirectories(Path.GetDirectoryName(file.Path) ?? "/");
            FileNode.Remove(file.Path); // a link, perhaps to nowhere
            System.IO.File.WriteAllBytes(file.Path, file.Content.ToByteArray());
            FileNode.Mode(file.Path, file.Mode);
        }
    }

    /// <summary>The same from outside of the container: whatever links it has made lead nowhere but into it.</summary>
    /// <param name="root">The container's, as the caller sees it.</param>
    /// <exception cref="StartException">What could not be written, and why.</exception>
    public static void Write(string root, IEnumerable<Protocol.Guest.File> files)
    {
        StartException? failure = null;
        // A thread of its own, for it leaves the caller's root, and cannot come back.
        var thread = new Thread(() =>
        {
            try
            {
                Namespaces.Unshare(NamespaceKinds.FileSystemAttributes);
                Mount.EnterRoot(root);
                Write(files);
            }
            catch (Exception e)
            {
                failure = e as StartException ?? new StartException(StartException.CannotStart, $"the container's files cannot be written: {e.Message}", e);
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
            throw failure;
    }

    public static void MakeDirectories(string path)
    {
        for (int end = path.IndexOf('/', 1); ; end = path.IndexOf('/', end + 1))
        {
            string directory = end < 0 ? path : path[..end];
            if (directory.Length > 0)
                FileNode.Directory(directory, DirectoryMode);
            if (end < 0)
                return;
        }
    }

    /// <summary>The rest, laid by the container's first process itself: its own /proc, its own control group, masks.</summary>
    public static void LayOwn()
    {
        Mount.Detach("/proc");
        At("/proc", "proc", Inert);
        LayControlGroup();
        foreach (string path in s_readOnly)
            MakeReadOnly(path);
        foreach (string path in s_masked)
            Mask(path);
    }

    private static void LayControlGroup()
    {
        const string groups = "/sys/fs/cgroup";
        try
        {
            Mount.FileSystem("cgroup2", "cgroup2", groups, Inert);
        }
        catch (LinuxException e) when (e.Error is Errno.ENODEV or Errno.ENOENT)
        {
            return; // a kernel without control groups
        }
        FileNode.Directory($"{groups}/container", DirectoryMode);
        System.IO.File.WriteAllText($"{groups}/container/cgroup.procs", "0");
        Mount.Detach(groups);
        Namespaces.Unshare(NamespaceKinds.ControlGroup);
        Mount.FileSystem("cgroup2", "cgroup2", groups, Inert);
    }

    private static void Mask(string path)
    {
        if (Directory.Exists(path))
            Mount.FileSystem("tmpfs", "tmpfs", path, MountFlags.ReadOnly, "size=0k");
        else if (System.IO.File.Exists(path))
            Mount.Bind("/dev/null", path);
    }

    private static void MakeReadOnly(string path)
    {
        if (!Directory.Exists(path) && !System.IO.File.Exists(path))
            return;
        Mount.Bind(path, path, recursive: true);
        Mount.Remount(path, Inert | MountFlags.ReadOnly);
    }

    private static void At(string target, string type, MountFlags flags, string? options = null)
    {
        FileNode.Directory(target, DirectoryMode);
        Mount.FileSystem(type, type, target, flags, options);
    }
}
