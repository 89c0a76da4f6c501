using System.Globalization;
using System.Net;
using System.Text;

namespace Hypha.Containers.Network;

/// <summary>What a client asks for its container's network; empty where it leaves the choice.</summary>
public sealed record NetworkWishes
{
    public const string None = "none";

    private const int LongestPolicy = 3_000; // bytes: one value of the store

    /// <summary>A network's name, or <see cref="None"/>; empty is the default one.</summary>
    public string Network { get; init; } = "";

    public string Ip { get; init; } = "";
    public string Ip6 { get; init; } = "";
    public string Mac { get; init; } = "";
    public IReadOnlyList<string> Publish { get; init; } = [];
    public IReadOnlyList<string> Dns { get; init; } = [];
    public IReadOnlyList<string> AddHost { get; init; } = [];

    /// <summary>Rules, a line each, of what the container may reach; hyphanet knows their form.</summary>
    public string Policy { get; init; } = "";

    /// <exception cref="ContainerException">InvalidArgument: what is not of its form, or needs a network that was not wanted.</exception>
    public void Check()
    {
        if (Network == None && (Ip.Length + Ip6.Length + Mac.Length > 0 || Publish.Count + Dns.Count + Policy.Length > 0))
            throw Invalid("a container without a network has no address, MAC, ports, name servers or policy: leave out --network none, or the others.");
        if (Mac.Length > 0 && !IsUnicastMac(Mac))
            throw Invalid($"--mac: \"{Mac}\" is no interface's MAC: give six pairs of small hexadecimal digits, the first even: 02:00:00:00:00:01.");
        if (Encoding.UTF8.GetByteCount(Policy) > LongestPolicy)
            throw Invalid($"--policy: the rules are longer than {LongestPolicy} bytes.");
        foreach (string server in Dns)
        {
            if (!IPAddress.TryParse(server, out _))
                throw Invalid($"--dns: \"{server}\" is no IP address.");
        }
        foreach (string host in AddHost)
        {
            int colon = host.IndexOf(':');
            if (colon <= 0 || host.AsSpan(0, colon).ContainsAny(" \t\r\n#") || !IPAddress.TryParse(host.AsSpan(colon + 1), out _))
                throw Invalid($"--add-host: \"{host}\" has not the form NAME:ADDRESS.");
        }
        foreach (string port in Publish)
        {
            if (!PortMapping.TryParse(port, out _))
                throw Invalid($"-p: \"{port}\" has not the form [IP:]HOST:GUEST[/udp].");
        }
    }

    private static bool IsUnicastMac(string text) =>
        text.Length == 17 && text != "02:00:48:59:50:01" && text.Select((c, i) => i % 3 == 2 ? c == ':' : char.IsAsciiHexDigitLower(c)).All(right => right)
        && (byte.Parse(text.AsSpan(0, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) & 1) == 0 && text != "00:00:00:00:00:00";

    private static ContainerException Invalid(string why) => new(ContainerError.InvalidArgument, why);
}
