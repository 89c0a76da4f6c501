using Hypha.Protocol.Control;

namespace Hypha.Ctl.Host;

/// <summary>What can be seen of a host without hyphad: files and devices, opened by nobody.</summary>
/// <param name="root">"/", or a tree that stands for it in a test.</param>
internal sealed class LocalChecks(string root)
{
    public IEnumerable<Check> Run()
    {
        yield return Result("root", Environment.IsPrivilegedProcess, "this is root", "hyphad and hyphactl need root", "run it as root: sudo hyphactl host check");
        yield return Xen();
        foreach ((string device, string module, string use) in Devices)
        {
            yield return Result(device, Exists(device), use, $"{device} is not there ({use})", $"modprobe {module}");
        }
        yield return Result("xenstore", Exists("/run/xenstored/socket") || Exists("/dev/xen/xenbus"), "there is a store to speak to",
            "neither /run/xenstored/socket nor /dev/xen/xenbus is there", "start the store daemon: systemctl start xenstored");
        yield return Result("loop devices", Exists("/dev/loop-control"), "/dev/loop-control", "/dev/loop-control is not there", "modprobe loop");
        yield return Result("block back end", Exists("/sys/bus/xen-backend/drivers/vbd"), "xen-blkback", "the driver is not loaded", "modprobe xen-blkback");
        yield return DefaultFile("guest kernel", "/var/lib/hypha/default/kernel", "-k");
        yield return DefaultFile("guest initrd", "/var/lib/hypha/default/initrd", "-r");
    }

    private static readonly (string Device, string Module, string Use)[] Devices =
    [
        ("/dev/xen/privcmd", "xen-privcmd", "hypercalls"),
        ("/dev/xen/hypercall", "xen-privcmd", "memory for hypercalls"),
        ("/dev/xen/evtchn", "xen-evtchn", "event channels"),
        ("/dev/xen/gntdev", "xen-gntdev", "mapping what guests grant"),
    ];

    private Check Xen()
    {
        const string Advice = "install the hypervisor and boot it: apt-get install xen-hypervisor-amd64, then reboot into the entry \"with Xen hypervisor\". "
            + "To try Hypha without it: ./try.sh in Hypha's sources";
        if (Text("/sys/hypervisor/type") != "xen")
            return Result("Xen", false, "", "this kernel does not run on Xen", Advice);
        string version = $"{Text("/sys/hypervisor/version/major")}.{Text("/sys/hypervisor/version/minor")}{Text("/sys/hypervisor/version/extra")}";
        // control_d: the domain that may build others. The file is there where xenfs is mounted.
        string capabilities = Text("/proc/xen/capabilities");
        bool control = capabilities.Length == 0 || capabilities.Contains("control_d", StringComparison.Ordinal);
        return Result("Xen", control, version, $"{version}, but this is a guest of it, not dom0", "run Hypha in dom0");
    }

    private Check DefaultFile(string name, string path, string option) =>
        Result(name, Exists(path), path, $"{path} is not there", $"install one there, or give {option} FILE with each launch");

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

    private static Check Result(string name, bool ok, string found, string lacking, string advice) =>
        new() { Name = name, Ok = ok, Detail = ok ? found : lacking, Advice = ok ? "" : advice };
}
