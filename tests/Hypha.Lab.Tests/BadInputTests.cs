using static Hypha.Lab.Tests.HyphaHost;

namespace Hypha.Lab.Tests;

/// <summary>What cannot work is refused with a sentence, and leaves the host as it was.</summary>
public sealed class BadInputTests(BadInputTests.Host host) : IClassFixture<BadInputTests.Host>
{
    public sealed class Host() : HyphaHost;

    public static TheoryData<string, string> Refused => new()
    {
        { "registry.local:5000/nothing:latest", "registry.local:5000/nothing" },
        { "registry.local:5000/busybox:no-such-tag", "no-such-tag" },
        { "registry.local:5999/busybox", "registry.local:5999" },
        { "UPPER/case", "UPPER/case" },
        { $"-k /no/kernel {Busybox}", "/no/kernel" },
        { $"-k /etc/passwd {Busybox}", "/etc/passwd" },
        { $"-k /usr/sbin/hyphad {Busybox}", "PV" },
        { $"-r /no/initrd {Busybox}", "/no/initrd" },
        { $"-m 900000 {Busybox}", "free" },
        { $"-m 1 {Busybox}", "MiB" },
        { $"-c 1000 {Busybox}", "vCPUs" },
        { $"--name -x- {Busybox}", "name" },
        { $"--hostname a_b {Busybox}", "host name" },
        { $"-w relative {Busybox} true", "relative" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Is_refused_with_125_and_a_sentence(string arguments, string named)
    {
        string before = (await host.Run(Inventory)).Succeeded().Output;
        var result = (await host.RunProgram(["hyphactl", "launch", "--attach", "--insecure", .. arguments.Split(' ')])).Exited(125);
        Assert.Contains("hyphactl: ", result.Error, StringComparison.Ordinal);
        Assert.Contains(named, result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, (await host.Run(Inventory)).Succeeded().Output);
    }

    [Theory]
    [InlineData("-u nobody-knows", "nobody-knows")]
    [InlineData("-w /etc/passwd", "/etc/passwd")]
    public async Task What_the_image_does_not_have_is_told_by_the_guest(string options, string named)
    {
        var result = await host.Launch("--rm " + options, [Busybox, "true"]);
        Assert.InRange(result.Status, 125, 127);
        Assert.Contains(named, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_is_taken_names_its_owner()
    {
        (await host.Run($"hyphactl launch --name taken {Busybox} sleep 1000")).Succeeded();
        var result = (await host.Launch("--name taken", [Busybox, "true"])).Exited(125);
        Assert.Contains("taken", result.Error, StringComparison.Ordinal);
        (await host.Run("hyphactl destroy taken")).Succeeded();
    }

    [Fact]
    public async Task A_guest_whose_init_fails_shows_its_console()
    {
        (await host.Run("echo /init: not here > /tmp/file; echo file | (cd /tmp && cpio -o -H newc > /tmp/broken-initrd 2>/dev/null || cp file broken-initrd)")).Succeeded();
        var result = (await host.Launch("--rm -r /tmp/broken-initrd", [Busybox, "true"])).Exited(125);
        Assert.Contains("console", result.Error, StringComparison.Ordinal);
        Assert.Contains("panic", result.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_unknown_container_is_told_so()
    {
        foreach (string command in new[] { "inspect", "destroy", "wait", "logs", "console" })
        {
            var result = await host.Run($"hyphactl {command} nobody");
            Assert.NotEqual(0, result.Status);
            Assert.Contains("nobody", result.Error, StringComparison.Ordinal);
        }
    }
}
