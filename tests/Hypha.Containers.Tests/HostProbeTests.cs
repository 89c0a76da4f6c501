using Hypha.Host;

namespace Hypha.Containers.Tests;

public sealed class HostProbeTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hypha-host.").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_machine_without_anything_is_told_all_that_it_lacks_and_what_to_do()
    {
        IReadOnlyList<HostCheck> checks = new HostProbe(root: _root).Run();
        Assert.All(checks.Where(check => check.Name != "root"), check =>
        {
            Assert.False(check.Ok, check.Name);
            Assert.NotEqual("", check.Detail);
            Assert.NotEqual("", check.Advice);
        });
        Assert.Contains(checks, check => check is { Name: "block back end", Advice: "modprobe xen-blkback" });
    }

    [Fact]
    public void A_machine_that_has_everything_is_a_host()
    {
        Furnish("control_d");
        Assert.All(new HostProbe(root: _root).Run().Where(check => check.Name is not ("root" or "disk space")), check => Assert.True(check.Ok, check.ToString()));
        Assert.Contains(new HostProbe(root: _root).Run(), check => check is { Name: "Xen", Detail: "4.17.5" });
    }

    [Fact]
    public void A_guest_is_no_host()
    {
        Furnish("");
        Put("/proc/xen/capabilities", "nothing\n");
        Assert.Contains(new HostProbe(root: _root).Run(), check => check is { Name: "Xen", Ok: false } && check.Detail.Contains("guest", StringComparison.Ordinal));
    }

    private void Furnish(string capabilities)
    {
        Put("/sys/hypervisor/type", "xen\n");
        Put("/sys/hypervisor/version/major", "4\n");
        Put("/sys/hypervisor/version/minor", "17\n");
        Put("/sys/hypervisor/version/extra", ".5\n");
        Put("/proc/xen/capabilities", capabilities);
        foreach (string path in (string[])["/dev/xen/privcmd", "/dev/xen/hypercall", "/dev/xen/evtchn", "/dev/xen/gntdev", "/dev/xen/xenbus", "/dev/loop-control",
            "/sys/bus/xen-backend/drivers/vbd/bind", "/var/lib/hypha/default/kernel", "/var/lib/hypha/default/initrd"])
        {
            Put(path, "");
        }
    }

    private void Put(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root + path)!);
        File.WriteAllText(_root + path, text);
    }
}
