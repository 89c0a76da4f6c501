using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Hypha.Net.Wire;

/// <summary>
/// The Internet checksum (RFC 1071) as a running sum, for what lies in several places: a pseudo header, a header, data.
/// Every part but the last has an even length.
/// </summary>
public readonly struct Checksum
{
    // One's complement sums are the same whatever the byte order they are taken in (RFC 1071 2.B): the sum is the machine's, swapped at the end.
    private readonly ulong _sum;

    private Checksum(ulong sum) => _sum = sum;

    /// <summary>What goes into the header's field. Over a packet with a right checksum in it: 0.</summary>
    public ushort Value => (ushort)~Folded;

    /// <summary>The sum as it stands, not complemented: what a card or kernel that is to finish it wants in the field.</summary>
    public ushort Partial => Folded;

    private ushort Folded
    {
        get
        {
            ulong sum = (_sum & 0xFFFF_FFFF) + (_sum >> 32);
            sum = (sum & 0xFFFF) + (sum >> 16);
            sum = (sum & 0xFFFF) + (sum >> 16);
            sum = (sum & 0xFFFF) + (sum >> 16);
            return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness((ushort)sum) : (ushort)sum;
        }
    }

    /// <summary>The pseudo header of TCP, UDP (RFC 9293 3.1, RFC 768) and, over IPv6, ICMP (RFC 8200 8.1).</summary>
    public static Checksum OfPseudoHeader(IpAddress source, IpAddress destination, IpProtocol protocol, int length) =>
        source.IsV4
            ? new Checksum(Wide(source.V4) + Wide(destination.V4) + Wide((uint)protocol) + Wide((uint)length))
            : new Checksum(Wide((uint)protocol) + Wide((uint)length)).Add(source.High, source.Low).Add(destination.High, destination.Low);

    public static ushort Of(ReadOnlySpan<byte> bytes) => default(Checksum).Add(bytes).Value;

    public Checksum Add(ReadOnlySpan<byte> bytes)
    {
        ulong sum = _sum;
        if (Vector256.IsHardwareAccelerated && bytes.Length >= 64)
        {
            // 32-bit words widened to 64-bit lanes: no carry is lost for as long as a packet can be.
            var low = Vector256<ulong>.Zero;
            var high = Vector256<ulong>.Zero;
            ref byte start = ref MemoryMarshal.GetReference(bytes);
            int end = bytes.Length & ~31;
            for (int i = 0; i < end; i += 32)
            {
                Vector256<uint> words = Vector256.LoadUnsafe(ref start, (nuint)i).AsUInt32();
                low += Vector256.WidenLower(words);
                high += Vector256.WidenUpper(words);
            }
            sum = Carry(sum, Vector256.Sum(low + high));
            bytes = bytes[end..];
        }
        while (bytes.Length >= 4)
        {
            sum = Carry(sum, MemoryMarshal.Read<uint>(bytes));
            bytes = bytes[4..];
        }
        if (bytes.Length >= 2)
        {
            sum = Carry(sum, MemoryMarshal.Read<ushort>(bytes));
            bytes = bytes[2..];
        }
        // An odd byte at the end is the first of a pair whose second is 0.
        if (bytes.Length == 1)
            sum = Carry(sum, BitConverter.IsLittleEndian ? bytes[0] : (uint)bytes[0] << 8);
        return new Checksum(sum);
    }

    private Checksum Add(ulong first, ulong second) =>
        new(Carry(Carry(Carry(Carry(_sum, Wide((uint)(first >> 32))), Wide((uint)first)), Wide((uint)(second >> 32))), Wide((uint)second)));

    private static ulong Carry(ulong sum, ulong more)
    {
        sum += more;
        return sum < more ? sum + 1 : sum;
    }

    private static ulong Wide(uint bigEndian) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(bigEndian) : bigEndian;
}
