using System.Globalization;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>Ports of the host that lead to ports of the guest: "[IP:]HOST:GUEST[/udp]", both may be ranges of one length ("8000-8010:80-90").</summary>
/// <param name="Host">Null: all addresses of the host, of both families.</param>
/// <param name="Count">Of ports in a row.</param>
public readonly record struct PublishedPort(IpAddress? Host, ushort HostPort, ushort GuestPort, int Count, IpProtocol Protocol)
{
    public static bool TryParse(ReadOnlySpan<char> text, out PublishedPort port)
    {
        port = default;
        IpProtocol protocol = IpProtocol.Tcp;
        int slash = text.LastIndexOf('/');
        if (slash >= 0)
        {
            switch (text[(slash + 1)..])
            {
                case "tcp":
                    break;
                case "udp":
                    protocol = IpProtocol.Udp;
                    break;
                default:
                    return false;
            }
            text = text[..slash];
        }
        int colon = text.LastIndexOf(':');
        if (colon < 0 || !TryParseRange(text[(colon + 1)..], out ushort guest, out int guestCount))
            return false;
        text = text[..colon];
        colon = text.LastIndexOf(':');
        if (!TryParseRange(text[(colon + 1)..], out ushort host, out int count) || count != guestCount)
            return false;
        IpAddress? address = null;
        if (colon >= 0)
        {
            ReadOnlySpan<char> where = text[..colon];
            bool bracketed = where.Length > 2 && where[0] == '[' && where[^1] == ']';
            if (!IpAddress.TryParse(bracketed ? where[1..^1] : where, out IpAddress parsed) || parsed.IsV4 == bracketed)
                return false;
            address = parsed.IsUnspecified ? null : parsed;
        }
        port = new PublishedPort(address, host, guest, count, protocol);
        return true;
    }

    public override string ToString()
    {
        string where = Host is { } host ? host.IsV4 ? $"{host}:" : $"[{host}]:" : "";
        return Count == 1
            ? $"{where}{HostPort}:{GuestPort}/{Name}"
            : $"{where}{HostPort}-{HostPort + Count - 1}:{GuestPort}-{GuestPort + Count - 1}/{Name}";
    }

    private string Name => Protocol == IpProtocol.Udp ? "udp" : "tcp";

    private static bool TryParseRange(ReadOnlySpan<char> text, out ushort first, out int count)
    {
        count = 1;
        int dash = text.IndexOf('-');
        if (!ushort.TryParse(dash < 0 ? text : text[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out first) || first == 0)
            return false;
        if (dash < 0)
            return true;
        if (!ushort.TryParse(text[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out ushort last) || last < first)
            return false;
        count = last - first + 1;
        return true;
    }
}
