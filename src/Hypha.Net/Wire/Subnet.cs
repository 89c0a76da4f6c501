using System.Globalization;

namespace Hypha.Net.Wire;

/// <summary>An address and how many of its bits name the network: "10.75.0.2/24" (RFC 4632 3.1), "fd75::2/64".</summary>
/// <param name="Address">May have bits after the prefix: a host in its network.</param>
/// <param name="Length">0 to 32 or 128.</param>
public readonly record struct Subnet(IpAddress Address, int Length)
{
    public bool Contains(IpAddress other)
    {
        if (other.IsV4 != Address.IsV4)
            return false;
        var (high, low) = Mask;
        return ((other.High ^ Address.High) & high) == 0 && ((other.Low ^ Address.Low) & low) == 0;
    }

    /// <summary>The network's own address: nothing after the prefix.</summary>
    public IpAddress Network
    {
        get
        {
            var (high, low) = Mask;
            return new IpAddress(Address.High & high, Address.Low & low);
        }
    }

    /// <summary>The last address: for IPv4 the one to all of the network.</summary>
    public IpAddress Last
    {
        get
        {
            var (high, low) = Mask;
            return new IpAddress(Address.High | ~high, Address.Low | ~low);
        }
    }

    private (ulong High, ulong Low) Mask
    {
        get
        {
            int bits = Address.IsV4 ? Length + 96 : Length;
            return (Ones(Math.Min(bits, 64)), Ones(Math.Max(bits - 64, 0)));
        }
    }

    public static bool TryParse(ReadOnlySpan<char> text, out Subnet subnet)
    {
        subnet = default;
        int slash = text.IndexOf('/');
        if (slash < 0 || !IpAddress.TryParse(text[..slash], out IpAddress address))
            return false;
        if (!int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int length) || length > address.Size * 8)
            return false;
        subnet = new Subnet(address, length);
        return true;
    }

    public override string ToString() => $"{Address}/{Length}";

    private static ulong Ones(int count) => count == 0 ? 0 : ulong.MaxValue << (64 - count);
}
