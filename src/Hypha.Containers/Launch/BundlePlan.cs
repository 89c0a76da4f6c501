using Google.Protobuf;
using Hypha.Containers.Records;
using Hypha.Protocol.Guest;

namespace Hypha.Containers.Launch;

/// <summary>Everything the guest is told, in one message.</summary>
internal static class BundlePlan
{
    public static Bundle Make(ContainerId id, string hostname, Process process, bool debug) => new()
    {
        ContainerId = id.ToString(),
        Hostname = hostname,
        Process = process,
        Root = new Root { Device = "/dev/xvda", FsType = "squashfs" },
        Debug = debug,
        Files =
        {
            Text("/etc/hostname", hostname + "\n"),
            Text("/etc/hosts", $"""
                127.0.0.1	localhost
                ::1	localhost ip6-localhost ip6-loopback
                fe00::0	ip6-localnet
                ff00::0	ip6-mcastprefix
                ff02::1	ip6-allnodes
                ff02::2	ip6-allrouters
                127.0.1.1	{hostname}

                """),
            Text("/etc/resolv.conf", "# no network\n"),
        },
    };

    private static Protocol.Guest.File Text(string path, string content) =>
        new() { Path = path, Content = ByteString.CopyFromUtf8(content), Mode = 0x1A4 }; // 0644
}
