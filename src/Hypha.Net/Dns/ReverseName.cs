using System.Globalization;
using Hypha.Net.Wire;

namespace Hypha.Net.Dns;

/// <summary>Names that stand for addresses: "2.0.75.10.in-addr.arpa" (RFC 1035 3.5), 32 digits and "ip6.arpa" (RFC 3596 2.5).</summary>
internal static class ReverseName
{
    private static ReadOnlySpan<byte> V4Zone => "\u0007in-addr\u0004arpa\0"u8;

    private static ReadOnlySpan<byte> V6Zone => "\u0003ip6\u0004arpa\0"u8;

    /// <param name="name">As on the wire, in small letters.</param>
    public static bool TryParse(ReadOnlySpan<byte> name, out IpAddress address)
    {
        address = default;
        if (name.EndsWith(V4Zone))
        {
            name = name[..^V4Zone.Length];
            uint bits = 0;
            for (int i = 0; i < 4; i++)
            {
                if (name.IsEmpty || name[0] > 3 || !byte.TryParse(name.Slice(1, name[0]), NumberStyles.None, CultureInfo.InvariantCulture, out byte part))
                    return false;
                bits |= (uint)part << (8 * i);
                name = name[(1 + name[0])..];
            }
            address = IpAddress.OfV4(bits);
            return name.IsEmpty;
        }
        if (!name.EndsWith(V6Zone) || name.Length != 64 + V6Zone.Length)
            return false;
        ulong high = 0, low = 0;
        for (int i = 0; i < 32; i++)
        {
            if (name[2 * i] != 1 || !char.IsAsciiHexDigit((char)name[2 * i + 1]))
                return false;
            ulong digit = Convert.ToUInt64(((char)name[2 * i + 1]).ToString(), 16);
            if (i < 16)
                low |= digit << (4 * i);
            else
                high |= digit << (4 * (i - 16));
        }
        address = new IpAddress(high, low);
        return true;
    }
}
