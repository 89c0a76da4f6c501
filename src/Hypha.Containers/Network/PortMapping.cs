using System.Globalization;
using System.Net;

namespace Hypha.Containers.Network;

/// <summary>Ports of the host that lead to a container's: "[IP:]HOST:GUEST[/udp]", either a port or a range, of one length.</summary>
/// <param name="Host">Null: all of the host's addresses.</param>
public readonly record struct PortMapping(IPAddress? Host, int HostPort, int GuestPort, int Count, bool Udp)
{
    public static bool TryParse(string text, out PortMapping mapping)
    {
        mapping = default;
        ReadOnlySpan<char> rest = text;
        bool udp = rest.EndsWith("/udp");
        if (udp || rest.EndsWith("/tcp"))
            rest = rest[..^4];
        int colon = rest.LastIndexOf(':');
        if (colon < 0 || !TryParseRange(rest[(colon + 1)..], out int guest, out int guestCount))
            return false;
        rest = rest[..colon];
        colon = rest.LastIndexOf(':');
        if (!TryParseRange(rest[(colon + 1)..], out int host, out int count) || count != guestCount)
            return false;
        IPAddress? address = null;
        if (colon >= 0)
        {
            ReadOnlySpan<char> where = rest[..colon];
            bool bracketed = where.Length > 2 && where[0] == '[' && where[^1] == ']';
            if (!IPAddress.TryParse(bracketed ? where[1..^1] : where, out address) || (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6) != bracketed)
                return false;
            if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
                address = null;
        }
        mapping = new PortMapping(address, host, guest, count, udp);
        return true;
    }

    /// <summary>Whether both want one port of the host.</summary>
    public bool Collides(in PortMapping other) =>
        Udp == other.Udp && (Host is null || other.Host is null || Host.Equals(other.Host))
        && HostPort < other.HostPort + other.Count && other.HostPort < HostPort + Count;

    private static bool TryParseRange(ReadOnlySpan<char> text, out int first, out int count)
    {
        count = 1;
        int dash = text.IndexOf('-');
        if (!TryParsePort(dash < 0 ? text : text[..dash], out first))
            return false;
        if (dash < 0)
            return true;
        if (!TryParsePort(text[(dash + 1)..], out int last) || last < first)
            return false;
        count = last - first + 1;
        return true;
    }

    private static bool TryParsePort(ReadOnlySpan<char> text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= ushort.MaxValue;
}
