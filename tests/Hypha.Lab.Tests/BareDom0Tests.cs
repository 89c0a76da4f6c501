namespace Hypha.Lab.Tests;

/// <summary>A dom0 as Hypha wants it: none of Xen's userspace, and a registry within reach.</summary>
public sealed class BareDom0Tests(BareDom0Tests.OfXen420 lab) : IClassFixture<BareDom0Tests.OfXen420>
{
    public sealed class OfXen420() : HyphaHost("--xen", "4.20", "--in", HostWithWitnesses.Probes);

    [Fact]
    public async Task Dom0_runs_on_Xen_4_20() =>
        Assert.Equal("4.20\n", (await lab.Run("echo $(cat /sys/hypervisor/version/major).$(cat /sys/hypervisor/version/minor)")).Succeeded().Output);

    [Fact]
    public async Task None_of_Xen_s_tools_is_there() => (await lab.Run("! type xl xenstore-read xenconsoled xenstore 2>/dev/null")).Succeeded();

    [Fact]
    public async Task The_store_daemon_serves_socket_and_kernel() =>
        (await lab.Run("test -S /run/xenstored/socket && test -c /dev/xen/xenbus && pgrep -f '[x]enstored/xenstored'")).Succeeded();

    [Fact]
    public async Task The_registry_offers_the_images()
    {
        var result = await lab.Run("curl -sf http://registry.local:5000/v2/_catalog");
        Assert.Contains("\"busybox\",\"debian\"", result.Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_hypercall_of_ours_works_on_Xen_4_20() => (await lab.Run("/lab/in/probes/xen-probe >&2")).Succeeded();

    [Fact]
    public async Task A_container_runs_and_leaves_nothing()
    {
        string before = (await lab.Run(HyphaHost.Inventory)).Succeeded().Output;
        var result = (await lab.Launch("--rm -c 2", [HyphaHost.Busybox, "sh", "-c", "echo on $(cat /sys/hypervisor/version/minor); exit 6"])).Exited(6);
        Assert.Equal("on 20\n", result.Output);
        Assert.Equal(before, (await lab.Run(HyphaHost.Inventory)).Succeeded().Output);
    }
}
