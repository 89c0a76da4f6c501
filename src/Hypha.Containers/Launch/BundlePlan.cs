using System.Text;
using Google.Protobuf;
using Hypha.Containers.Network;
using Hypha.Containers.Records;
using Hypha.Protocol.Guest;

namespace Hypha.Containers.Launch;

/// <summary>Everything the guest is told, in one message.</summary>
internal static class BundlePlan
{
    public static Bundle Make(ContainerId id, string hostname, Process process, LaunchOptions options, NetworkLease? lease)
    {
        var bundle = new Bundle
        {
            ContainerId = id.ToString(),
            Hostname = hostname,
            Process = process,
            Root = new Root { Device = "/dev/xvda", FsType = "squashfs" },
            Debug = options.Debug,
            Files =
            {
                Text("/etc/hostname", hostname + "\n"),
            },
        };
        bundle.Files.AddRange(NetworkFiles(hostname, options.Network.AddHost, lease));
        if (lease is not null)
            bundle.Networks.Add(Interface(lease));
        return bundle;
    }

    public static NetworkInterface Interface(NetworkLease lease) => new()
    {
        Mac = lease.Mac,
        Addresses = { lease.Address, lease.Address6 },
        Gateways = { lease.Gateway, lease.Gateway6 },
        Mtu = NetworkLease.Mtu,
    };

    /// <summary>What of the guest's files tells where it is.</summary>
    /// <param name="addHost">"NAME:ADDRESS".</param>
    public static IEnumerable<Protocol.Guest.File> NetworkFiles(string hostname, IEnumerable<string> addHost, NetworkLease? lease) =>
    [
        Text("/etc/hosts", Hosts(hostname, addHost, lease)),
        // The gateway forwards to whom the host asks, or to --dns, and knows the other containers.
        Text("/etc/resolv.conf", lease is null ? "# no network\n" : $"nameserver {lease.Gateway}\nnameserver {lease.Gateway6}\n"),
    ];

    private static string Hosts(string hostname, IEnumerable<string> addHost, NetworkLease? lease)
    {
        var text = new StringBuilder("""
            127.0.0.1	localhost
            ::1	localhost ip6-localhost ip6-loopback
            fe00::0	ip6-localnet
            ff00::0	ip6-mcastprefix
            ff02::1	ip6-allnodes
            ff02::2	ip6-allrouters

            """);
        foreach (string own in lease is null ? ["127.0.1.1"] : new[] { lease.Ip, lease.Ip6 })
            text.Append(own).Append('\t').Append(hostname).Append('\n');
        foreach (string host in addHost)
        {
            int colon = host.IndexOf(':');
            text.Append(host.AsSpan(colon + 1)).Append('\t').Append(host.AsSpan(0, colon)).Append('\n');
        }
        return text.ToString();
    }

    private static Protocol.Guest.File Text(string path, string content) =>
        new() { Path = path, Content = ByteString.CopyFromUtf8(content), Mode = 0x1A4 }; // 0644
}
