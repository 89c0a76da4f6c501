using System.Net;
using System.Net.Sockets;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>
/// An address of either family in 16 bytes, so that flows of both share their tables. IPv4 is kept as IPv6 maps it
/// (::ffff:a.b.c.d, RFC 4291 2.5.5.2); an IPv6 packet with such an address is refused before it comes this far.
/// </summary>
/// <param name="High">The first 64 bits.</param>
/// <param name="Low">The last 64 bits.</param>
public readonly record struct IpAddress(ulong High, ulong Low)
{
    public const int V4Size = 4, V6Size = 16; // bytes

    private const ulong Mapped = 0xFFFF_0000_0000;

    public bool IsV4 => High == 0 && (Low & 0xFFFF_FFFF_0000_0000) == Mapped;

    /// <summary>The 32 bits of an IPv4 address.</summary>
    public uint V4 => (uint)Low;

    public int Size => IsV4 ? V4Size : V6Size;

    public static IpAddress OfV4(uint address) => new(0, Mapped | address);

    public static IpAddress ReadV4(ReadOnlySpan<byte> bytes) => OfV4(ReadUInt32BigEndian(bytes));

    public static IpAddress ReadV6(ReadOnlySpan<byte> bytes) => new(ReadUInt64BigEndian(bytes), ReadUInt64BigEndian(bytes[8..]));

    /// <summary>Writes 4 or 16 bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        if (IsV4)
        {
            WriteUInt32BigEndian(bytes, V4);
            return;
        }
        WriteUInt64BigEndian(bytes, High);
        WriteUInt64BigEndian(bytes[8..], Low);
    }

    public bool IsUnspecified => IsV4 ? V4 == 0 : High == 0 && Low == 0;

    /// <summary>127.0.0.0/8, ::1.</summary>
    public bool IsLoopback => IsV4 ? V4 >> 24 == 127 : High == 0 && Low == 1;

    /// <summary>224.0.0.0/4, ff00::/8.</summary>
    public bool IsMulticast => IsV4 ? V4 >> 28 == 0xE : High >> 56 == 0xFF;

    /// <summary>255.255.255.255.</summary>
    public bool IsBroadcast => IsV4 && V4 == uint.MaxValue;

    /// <summary>169.254.0.0/16, fe80::/10.</summary>
    public bool IsLinkLocal => IsV4 ? V4 >> 16 == 0xA9FE : High >> 54 == 0x3FA;

    /// <summary>What a neighbour solicitation for this address is sent to: ff02::1:ff and its last 24 bits (RFC 4291 2.7.1).</summary>
    public IpAddress SolicitedNode => new(0xFF02_0000_0000_0000, 0x0000_0001_FF00_0000 | (Low & 0xFF_FFFF));

    /// <summary>The link-local address that a MAC gives (RFC 4291 appendix A, EUI-64).</summary>
    public static IpAddress LinkLocalOf(MacAddress mac) =>
        new(0xFE80_0000_0000_0000, ((mac.Value >> 24) ^ 0x02_0000) << 40 | 0xFF_FE00_0000 | (mac.Value & 0xFF_FFFF));

    public static IpAddress From(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[V6Size];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetwork ? ReadV4(bytes) : ReadV6(bytes);
    }

    /// <summary>Dotted decimal with four parts, or IPv6 without a zone and not mapped.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out IpAddress address)
    {
        address = default;
        // IPAddress takes "1", "0x7f.1" and zones, too.
        bool v4 = !text.Contains(':');
        if (v4 ? text.Count('.') != 3 || text.ContainsAnyExcept("0123456789.") : text.ContainsAny("%[]"))
            return false;
        if (!IPAddress.TryParse(text, out IPAddress? parsed))
            return false;
        address = From(parsed);
        return v4 == address.IsV4 && (!v4 || parsed.ToString().AsSpan().SequenceEqual(text));
    }

    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[V6Size];
        Write(bytes);
        return new IPAddress(bytes[..Size]);
    }

    public override string ToString() => ToIPAddress().ToString();
}
