using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>What a frame carries (IANA, IEEE 802 numbers).</summary>
public enum EtherType : ushort
{
    Ipv4 = 0x0800,
    Arp = 0x0806,
    Vlan = 0x8100,
    Ipv6 = 0x86DD,
}

/// <summary>An Ethernet II frame (RFC 894), without the check sequence.</summary>
public readonly ref struct EthernetFrame
{
    public const int HeaderSize = 14; // bytes

    private readonly ReadOnlySpan<byte> _bytes;

    private EthernetFrame(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public MacAddress Destination => MacAddress.Read(_bytes);                   // 0..6
    public MacAddress Source => MacAddress.Read(_bytes[6..]);                   // 6..12
    public EtherType Type => (EtherType)ReadUInt16BigEndian(_bytes[12..]);      // 12..14
    public ReadOnlySpan<byte> Payload => _bytes[HeaderSize..];                  // with padding, if any

    public static WireFault TryParse(ReadOnlySpan<byte> bytes, out EthernetFrame frame)
    {
        frame = default;
        if (bytes.Length < HeaderSize)
            return WireFault.Truncated;
        frame = new EthernetFrame(bytes);
        return frame.Source.IsGroup || frame.Source.IsZero ? WireFault.Address : WireFault.None;
    }

    public static void Write(Span<byte> to, MacAddress destination, MacAddress source, EtherType type)
    {
        destination.Write(to);
        source.Write(to[6..]);
        WriteUInt16BigEndian(to[12..], (ushort)type);
    }
}
