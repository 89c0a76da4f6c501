namespace Hypha.Containers.Host;

/// <summary>
/// Looks at what a host must have. Each check stands by itself and never throws, so that one report names everything
/// that lacks.
/// </summary>
public static class HostProbe
{
    /// <summary>In the order in which a person would put things right.</summary>
    public static IReadOnlyList<HostCheck> Run(EngineOptions options) =>
    [
        Xen(),
        Exists("/dev/xen/privcmd", "hypercalls", "modprobe xen-privcmd"),
        Exists("/dev/xen/hypercall", "hypercall buffers", "A dom0 kernel of 4.18 or later is needed: modprobe xen-privcmd"),
        Exists("/dev/xen/evtchn", "event channels", "modprobe xen-evtchn"),
        Exists("/dev/xen/gntdev", "grants", "modprobe xen-gntdev"),
        Exists("/dev/loop-control", "loop devices", "modprobe loop"),
        Module("xen_blkback", "/sys/bus/xen-backend/drivers/vbd", "block back end", "modprobe xen-blkback"),
        AnyExists(["/run/xenstored/socket", "/var/run/xenstored/socket", "/dev/xen/xenbus"], "xenstore", "Start the store daemon: systemctl start xenstored"),
        Exists(options.DefaultKernel, "guest kernel", $"Install one at {options.DefaultKernel}, or give one to each launch with -k."),
        Exists(options.DefaultInitrd, "guest initrd", $"Install one at {options.DefaultInitrd}, or give one to each launch with -r."),
        Space(options.StateDirectory),
    ];

    private static HostCheck Xen()
    {
        const string TypePath = "/sys/hypervisor/type";
        const string CapabilitiesPath = "/proc/xen/capabilities";
        string advice = "Boot the Xen hypervisor with this system as dom0 (Debian: xen-hypervisor-4.17-amd64), or try Hypha in QEMU: ./try.sh";
        if (!TryRead(TypePath, out string type) || type != "xen")
            return new HostCheck("xen", false, "this system does not run on Xen", advice);
        return TryRead(CapabilitiesPath, out string capabilities) && !capabilities.Contains("control_d", StringComparison.Ordinal)
            ? new HostCheck("xen", false, "this system is a guest, not the control domain", "Run Hypha in dom0.")
            : new HostCheck("xen", true, "control domain");
    }

    private static HostCheck Exists(string path, string name, string advice) =>
        File.Exists(path) ? new HostCheck(name, true, path) : new HostCheck(name, false, $"{path} is missing", advice);

    private static HostCheck AnyExists(string[] paths, string name, string advice) =>
        Array.Find(paths, File.Exists) is { } found
            ? new HostCheck(name, true, found)
            : new HostCheck(name, false, $"none of {string.Join(", ", paths)} is there", advice);

    private static HostCheck Module(string module, string evidence, string name, string advice) =>
        Directory.Exists($"/sys/module/{module}") || Directory.Exists(evidence)
            ? new HostCheck(name, true, module)
            : new HostCheck(name, false, $"{module} is not loaded", advice);

    private static HostCheck Space(string directory)
    {
        const long Wanted = 1L << 30;
        try
        {
            long free = new DriveInfo(directory).AvailableFreeSpace;
            return new HostCheck("disk space", free >= Wanted, $"{free >> 20} MiB free in {directory}",
                free >= Wanted ? "" : "Images need room: free some.");
        }
        catch (Exception error) when (error is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return new HostCheck("disk space", false, $"{directory}: {error.Message}", "Make the directory.");
        }
    }

    private static bool TryRead(string path, out string text)
    {
        try
        {
            text = File.ReadAllText(path).Trim();
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            text = "";
            return false;
        }
    }
}
