using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Hypha.Containers.Network;

/// <summary>The addresses of a network to be: as they were given, or the next that nobody has.</summary>
internal static class SubnetChoice
{
    private const int PoolSize = 1 << 10; // of 10.76.0.0/14, a /24 each
    private const int ShortestV4 = 8, LongestV4 = 29, LengthV6 = 64;

    private static readonly IPNetwork[] s_unusable =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("224.0.0.0/3"),
        IPNetwork.Parse("::/64"), IPNetwork.Parse("fe80::/10"), IPNetwork.Parse("ff00::/8"),
    ];

    /// <exception cref="ContainerException">InvalidArgument: of no use. AlreadyExists: another network's.</exception>
    public static IPNetwork Given(string text, AddressFamily family, IEnumerable<GuestSubnet> others)
    {
        string option = family == AddressFamily.InterNetwork ? "--subnet" : "--subnet6";
        IPNetwork network = Parse(text, family, option);
        if (s_unusable.Any(range => Overlap(range, network)))
            throw Invalid($"{option}: {text} holds addresses that are no network's: loopback, link-local, multicast or reserved ones.");
        foreach (GuestSubnet other in others)
        {
            if (Overlap(Of(other, family), network))
                throw new ContainerException(ContainerError.AlreadyExists, $"{option}: {text} overlaps {Of(other, family)}, which is the network \"{other.Name}\". Choose another, or none.");
        }
        return network;
    }

    /// <param name="host">What the host itself reaches.</param>
    /// <exception cref="ContainerException">ResourceExhausted.</exception>
    public static IPNetwork NextV4(IReadOnlyCollection<GuestSubnet> others, IReadOnlyCollection<IPNetwork> host)
    {
        for (int number = 0; number < PoolSize; number++)
        {
            var candidate = new IPNetwork(new IPAddress([10, (byte)(76 + (number >> 8)), (byte)number, 0]), 24);
            if (!others.Any(other => Overlap(other.V4, candidate)) && !host.Any(network => Overlap(network, candidate)))
                return candidate;
        }
        throw new ContainerException(ContainerError.ResourceExhausted, "10.76.0.0/14 has no /24 that neither another network nor the host has. Give one with --subnet.");
    }

    public static IPNetwork NextV6(IReadOnlyCollection<GuestSubnet> others)
    {
        for (int number = 1; ; number++) // one more than there are networks, at the most
        {
            IPNetwork candidate = IPNetwork.Parse($"fd75:{number:x}::/{LengthV6}");
            if (!others.Any(other => Overlap(other.V6, candidate)))
                return candidate;
        }
    }

    private static IPNetwork Parse(string text, AddressFamily family, string option)
    {
        bool v4 = family == AddressFamily.InterNetwork;
        int slash = text.IndexOf('/');
        if (slash < 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out IPAddress? address) || address.AddressFamily != family
            || (v4 ? address.ToString() != text[..slash] : address.ScopeId != 0)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int length))
        {
            throw Invalid($"{option}: \"{text}\" is no {(v4 ? "IPv4 network: 192.168.7.0/24" : "IPv6 network: fd00:7::/64")}.");
        }
        if (v4 ? length is < ShortestV4 or > LongestV4 : length != LengthV6)
            throw Invalid($"{option}: {text} has a prefix of {length} bits; {(v4 ? $"{ShortestV4} to {LongestV4} are possible" : $"it must be {LengthV6}")}.");
        var network = new IPNetwork(address, length);
        return network.BaseAddress.Equals(address) ? network : throw Invalid($"{option}: {text} is an address in a network: after the prefix's {length} bits only zeros may follow.");
    }

    private static IPNetwork Of(GuestSubnet subnet, AddressFamily family) => family == AddressFamily.InterNetwork ? subnet.V4 : subnet.V6;

    /// <summary>Two prefixes overlap where one holds the other.</summary>
    private static bool Overlap(IPNetwork one, IPNetwork other) =>
        one.BaseAddress.AddressFamily == other.BaseAddress.AddressFamily && (one.Contains(other.BaseAddress) || other.Contains(one.BaseAddress));

    private static ContainerException Invalid(string why) => new(ContainerError.InvalidArgument, why);
}
