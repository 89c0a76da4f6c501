using System.Globalization;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>An Ethernet address (IEEE 802.3, 48 bits).</summary>
public readonly record struct MacAddress(ulong Value)
{
    public const int Size = 6; // bytes

    public static MacAddress Broadcast => new(0xFFFF_FFFF_FFFF);

    /// <summary>The group bit: broadcast and multicast.</summary>
    public bool IsGroup => (Value & 0x0100_0000_0000) != 0;

    public bool IsZero => Value == 0;

    public static MacAddress Read(ReadOnlySpan<byte> bytes) =>
        new((ulong)ReadUInt16BigEndian(bytes) << 32 | ReadUInt32BigEndian(bytes[2..]));

    public void Write(Span<byte> bytes)
    {
        WriteUInt16BigEndian(bytes, (ushort)(Value >> 32));
        WriteUInt32BigEndian(bytes[2..], (uint)Value);
    }

    /// <summary>Where a multicast group's frames go: 33:33 and the address's last 32 bits (RFC 2464 7), 01:00:5e and its last 23 (RFC 1112 6.4).</summary>
    public static MacAddress OfGroup(IpAddress group) => group.IsV4
        ? new(0x0100_5E00_0000UL | (group.V4 & 0x7F_FFFF))
        : new(0x3333_0000_0000UL | (uint)group.Low);

    /// <summary>Six pairs of hexadecimal digits with colons between.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress address)
    {
        address = default;
        if (text.Length != 17)
            return false;
        ulong value = 0;
        for (int i = 0; i < Size; i++)
        {
            if ((i < 5 && text[i * 3 + 2] != ':') || !byte.TryParse(text.Slice(i * 3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte part))
                return false;
            value = value << 8 | part;
        }
        address = new MacAddress(value);
        return true;
    }

    public override string ToString() =>
        string.Create(17, Value, static (to, value) =>
        {
            for (int i = 0; i < Size; i++)
            {
                ((byte)(value >> (40 - 8 * i))).TryFormat(to[(i * 3)..], out _, "x2", CultureInfo.InvariantCulture);
                if (i < 5)
                    to[i * 3 + 2] = ':';
            }
        });
}
