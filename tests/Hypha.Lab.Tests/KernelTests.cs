using static Hypha.Lab.Tests.HyphaHost;

namespace Hypha.Lab.Tests;

/// <summary>Containers on Debian's kernel, with modules from the initrd, and on our own, which has all built in.</summary>
[Collection<BareHost>]
public sealed class KernelTests(BareHost host)
{
    [Theory]
    [InlineData("debian")]
    [InlineData("hypha")]
    public async Task A_container_runs_on_either_kernel(string kernel)
    {
        string path = $"/lab/in/kernels/{kernel}";
        Assert.SkipUnless((await host.Run($"test -f {path}")).Status == 0, "kernel/build.sh was not run");
        var result = await host.Launch($"--rm -k {path} -c 2", [Busybox, "sh", "-c", """
            uname -r; nproc
            awk '$2 == "/" { print $3 }' /proc/mounts
            for file in /sys/fs/cgroup/cgroup.controllers /proc/self/ns/user /proc/sys/kernel/seccomp/actions_avail; do
              test -e $file || echo $file is missing
            done
            """]);
        string[] lines = result.Succeeded().Output.TrimEnd().Split('\n');
        Assert.EndsWith(kernel == "hypha" ? "-hypha" : "-amd64", lines[0], StringComparison.Ordinal);
        Assert.Equal(["2", "overlay"], lines[1..]);
    }
}
