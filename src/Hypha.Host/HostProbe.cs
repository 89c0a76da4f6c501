namespace Hypha.Host;

/// <summary>
/// Looks at what a host must have: files and devices, opened by nobody. Each check stands by itself and never throws, so that one
/// report names everything that lacks.
/// </summary>
/// <param name="state">hyphad's directory, with what it launches by default.</param>
/// <param name="root">"", or a tree that stands for the host's root.</param>
public sealed class HostProbe(string state = HostProbe.DefaultState, string root = "")
{
    public const string DefaultState = "/var/lib/hypha";

    private const long WantedBytes = 1L << 30; // what a few images and their layers take

    /// <summary>In the order in which a person would put things right.</summary>
    public IReadOnlyList<HostCheck> Run() =>
    [
        Root(),
        Xen(),
        Device("/dev/xen/privcmd", "hypercalls", "modprobe xen-privcmd"),
        Device("/dev/xen/hypercall", "memory for hypercalls", "A dom0 kernel of 4.18 or later is needed: modprobe xen-privcmd"),
        Device("/dev/xen/evtchn", "event channels", "modprobe xen-evtchn"),
        Device("/dev/xen/gntdev", "mapping what guests grant", "modprobe xen-gntdev"),
        Any("xenstore", ["/run/xenstored/socket", "/dev/xen/xenbus"], "Start the store daemon: systemctl start xen (Debian's xen-utils-4.17), or xenstored"),
        Any("loop devices", ["/dev/loop-control"], "modprobe loop"),
        Any("block back end", ["/sys/bus/xen-backend/drivers/vbd"], "modprobe xen-blkback"),
        Default("guest kernel", "kernel", "-k"),
        Default("guest initrd", "initrd", "-r"),
        Space(),
    ];

    /// <summary>The first thing that keeps hyphad from running, if any: what it launches by default is no such thing.</summary>
    public HostCheck? Obstacle() => Run().FirstOrDefault(check => !check.Ok && !check.Name.StartsWith("guest ", StringComparison.Ordinal));

    private static HostCheck Root() =>
        Check("root", Environment.IsPrivilegedProcess, "this is root", "hyphad and hyphactl need root", "Run it as root, with sudo.");

    private HostCheck Xen()
    {
        const string Boot = "Boot the Xen hypervisor with this system as dom0 (Debian: apt install xen-hypervisor-4.17-amd64, then the entry \"with Xen "
            + "hypervisor\"), or try Hypha in QEMU: ./try.sh in its sources";
        if (Text("/sys/hypervisor/type") != "xen")
            return Check("Xen", false, "", "this system does not run on Xen", Boot);
        string version = $"{Text("/sys/hypervisor/version/major")}.{Text("/sys/hypervisor/version/minor")}{Text("/sys/hypervisor/version/extra")}";
        // control_d: the domain that may build others. The file is there where xenfs is mounted.
        string capabilities = Text("/proc/xen/capabilities");
        bool control = capabilities.Length == 0 || capabilities.Contains("control_d", StringComparison.Ordinal);
        return Check("Xen", control, version, $"{version}, but this system is a guest of it, not the control domain", "Run Hypha in dom0.");
    }

    private HostCheck Device(string path, string use, string advice) => Check(path, Exists(path), use, $"is missing ({use})", advice);

    private HostCheck Any(string name, string[] paths, string advice)
    {
        string? found = Array.Find(paths, Exists);
        return Check(name, found is not null, found ?? "", $"there is no {string.Join(" or ", paths)}", advice);
    }

    private HostCheck Default(string name, string file, string option)
    {
        string path = Path.Combine(state, "default", file);
        return Check(name, Exists(path), path, $"{path} is missing", $"Install one there, or give {option} FILE with each launch.");
    }

    private HostCheck Space()
    {
        try
        {
            long free = new DriveInfo(root + state).AvailableFreeSpace;
            return Check("disk space", free >= WantedBytes, $"{free >> 20} MiB free in {state}", $"only {free >> 20} MiB free in {state}", "Images need room: free some.");
        }
        catch (Exception error) when (error is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return Check("disk space", false, "", $"{state}: {error.Message}", "Make the directory.");
        }
    }

    private static HostCheck Check(string name, bool ok, string found, string lacking, string advice) => new(name, ok, ok ? found : lacking, ok ? "" : advice);

    private bool Exists(string path) => Path.Exists(root + path);

    private string Text(string path)
    {
        try
        {
            return File.ReadAllText(root + path).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
