using static Hypha.Lab.Tests.HyphaHost;

namespace Hypha.Lab.Tests;

/// <summary>What cannot work is refused with a sentence, and leaves the host as it was.</summary>
[Collection<BareHost>]
public sealed class BadInputTests(BareHost host)
{
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

    [Fact]
    public async Task Without_root_there_is_a_sentence_and_no_more()
    {
        var list = await host.Run("setpriv --reuid 65534 --regid 65534 --clear-groups hyphactl list");
        Assert.NotEqual(0, list.Status);
        Assert.Contains("root", list.Error, StringComparison.Ordinal);
        var daemon = await host.Run("setpriv --reuid 65534 --regid 65534 --clear-groups hyphad --state /tmp/nobody --socket /tmp/nobody.sock");
        Assert.NotEqual(0, daemon.Status);
        Assert.Contains("hyphad: ", daemon.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", list.Error + daemon.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_hyphad_one_is_told_how_to_start_it()
    {
        var result = await host.Run("hyphactl --socket /run/nothing.sock list");
        Assert.NotEqual(0, result.Status);
        Assert.Contains("systemctl start hyphad", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_Xen_hyphad_says_how_to_try_it()
    {
        string directory = Directory.CreateTempSubdirectory("hypha-no-xen.").FullName;
        try
        {
            using var daemon = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
                Path.Combine(Repository.Root, "artifacts/root/usr/sbin/hyphad"), ["--state", directory, "--socket", Path.Combine(directory, "sock")])
            { RedirectStandardError = true })!;
            string errors = daemon.StandardError.ReadToEnd();
            daemon.WaitForExit();
            Assert.Equal(1, daemon.ExitCode);
            Assert.Contains("Xen", errors, StringComparison.Ordinal);
            Assert.Contains("try.sh", errors, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_full_disk_is_told_and_nothing_of_the_image_is_kept()
    {
        // A second daemon, with a state of its own on a disk that the image does not fit on.
        var result = await host.Run("""
            mkdir -p /tmp/small && mount -t tmpfs -o size=16m small /tmp/small
            cp -r /var/lib/hypha/default /tmp/default
            mkdir /tmp/small/default && ln -s /var/lib/hypha/default/* /tmp/small/default/
            hyphad --state /tmp/small --socket /tmp/small.sock 2>/tmp/small.log & daemon=$!
            for i in $(seq 300); do hyphactl --socket /tmp/small.sock list >/dev/null 2>&1 && break; sleep 0.1; done
            find /tmp/small -type f | sort >/tmp/before
            hyphactl --socket /tmp/small.sock image pull --insecure registry.local:5000/debian:latest; status=$?
            find /tmp/small -type f | sort | diff /tmp/before - >&2 || status=left
            kill $daemon; wait $daemon 2>/dev/null; umount /tmp/small; rm -rf /tmp/small /tmp/default
            echo $status
            """);
        Assert.DoesNotContain("left", result.Output, StringComparison.Ordinal);
        Assert.NotEqual("0\n", result.Output);
        Assert.Contains("space", result.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Two_launches_of_one_image_at_once_download_it_once()
    {
        var result = (await host.Run("""
            received() { awk '/eth0|enp|ens/ { print $2 }' /proc/net/dev | head -n 1; }
            before=$(received)
            for i in 1 2; do hyphactl launch --insecure --attach --rm registry.local:5000/debian:latest echo $i </dev/null >/tmp/two$i 2>/tmp/errors$i & done
            wait
            cat /tmp/two1 /tmp/two2 | sort | tr '\n' ' '
            size=$(hyphactl image list --output json | grep -o '"size": *[0-9]*' | grep -o '[0-9]*' | sort -n | tail -n 1)
            echo $(( $(received) - before )) $size
            """)).Succeeded();
        string[] words = result.Output.Split(' ', StringSplitOptions.TrimEntries);
        Assert.Equal(["1", "2"], words[..2]);
        // What came over the network is one image, not two: the squashfs is about as large as the layers.
        Assert.InRange(long.Parse(words[2]), 1, (long)(1.6 * long.Parse(words[3])));
    }
}
