using System.Diagnostics;

namespace Hypha.Guest.Tests.Vm;

/// <summary>An image of busybox and little else, packed once a run.</summary>
internal static class BusyboxImage
{
    private static readonly Lazy<string> s_path = new(Make);

    public static string Path => s_path.Value;

    private static string Make()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("hypha-image-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => directory.Delete(recursive: true);
        string tree = $"{directory.FullName}/tree", image = $"{directory.FullName}/image.squashfs";
        foreach (string name in (string[])["bin", "etc", "tmp", "home/web"])
            Directory.CreateDirectory($"{tree}/{name}");
        System.IO.File.Copy("/bin/busybox", $"{tree}/bin/busybox");
        foreach (string name in "sh cat echo ls id env pwd stat mount hostname sleep ps kill tty stty readlink touch dd head yes true false ifconfig grep wc tr mknod ulimit awk seq date".Split(' '))
            System.IO.File.CreateSymbolicLink($"{tree}/bin/{name}", "busybox");
        System.IO.File.WriteAllText($"{tree}/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nweb:x:33:44:web:/home/web:/bin/sh\n");
        System.IO.File.WriteAllText($"{tree}/etc/group", "root:x:0:\nweb:x:44:\nvideo:x:50:web\nextra:x:60:other\n");
        System.IO.File.WriteAllText($"{tree}/bin/plain", "not executable");
        System.IO.File.WriteAllText($"{tree}/bin/lost", "#!/nowhere/interpreter\n");
        System.IO.File.WriteAllText($"{tree}/bin/garbage", "\u0001\u0002\u0003garbage");
        foreach (string name in (string[])["lost", "garbage"])
            System.IO.File.SetUnixFileMode($"{tree}/bin/{name}", (UnixFileMode)0x1ED);
        // Out of the image, were it followed from the outside.
        System.IO.File.CreateSymbolicLink($"{tree}/etc/resolv.conf", "../../../../run/systemd/resolve/stub-resolv.conf");
        using Process pack = Process.Start("mksquashfs", [tree, image, "-quiet", "-no-progress", "-noappend", "-all-root"])!;
        pack.WaitForExit();
        Assert.Equal(0, pack.ExitCode);
        return image;
    }
}
