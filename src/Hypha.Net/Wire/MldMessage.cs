using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>Who is in which group over IPv6: an ICMPv6 message of MLDv1 (RFC 2710 3) or MLDv2 (RFC 3810 5).</summary>
public readonly ref struct MldMessage
{
    public const int Size = 24; // bytes, of all but an MLDv2 report at least
    public const int QuerySize = 28; // of an MLDv2 query without sources, as we write it

    private readonly ReadOnlySpan<byte> _bytes;

    private MldMessage(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public Icmp6Type Type => (Icmp6Type)_bytes[0];                              // 0

    /// <summary>Of a query: in which time to answer, in milliseconds below 32,768 (RFC 3810 5.1.3).</summary>
    public ushort MaximumResponse => ReadUInt16BigEndian(_bytes[4..]);          // 4..6

    public IpAddress Group => IpAddress.ReadV6(_bytes[8..]);                    // 8..24, but for an MLDv2 report; of a general query ::

    public GroupRecords Records =>                                              // 6..8 of an MLDv2 report says how many, and they follow
        Type == Icmp6Type.MulticastReportV2 ? new GroupRecords(_bytes[IcmpMessage.HeaderSize..], ReadUInt16BigEndian(_bytes[6..]), IpAddress.V6Size) : default;

    public bool IsV2Query => Type == Icmp6Type.MulticastQuery && _bytes.Length >= QuerySize;

    /// <summary>Of an MLDv2 query: how often what is lost is said again (QRV), and seconds between queries below 128 (QQIC).</summary>
    public int Robustness => _bytes[24] & 7;                                    // 24, low bits

    public byte Interval => _bytes[25];                                         // 25

    /// <summary>MLD, of either version.</summary>
    public static bool Is(ReadOnlySpan<byte> icmp) =>
        icmp.Length > 0 && (Icmp6Type)icmp[0] is >= Icmp6Type.MulticastQuery and <= Icmp6Type.MulticastDone or Icmp6Type.MulticastReportV2;

    /// <param name="message">Its checksum was right.</param>
    /// <param name="hopLimit">RFC 3810 6.2: 1, or the packet came from elsewhere.</param>
    public static WireFault TryParse(scoped in IcmpMessage message, byte hopLimit, out MldMessage parsed)
    {
        parsed = new MldMessage(message.Bytes);
        return !Is(message.Bytes) || hopLimit != 1 ? WireFault.Version : parsed.Check();
    }

    /// <summary>Writes a general query of MLDv2, which older hosts read as one of theirs (RFC 3810 8.2.1).</summary>
    /// <param name="to">At least <see cref="QuerySize"/>.</param>
    /// <param name="source">The router's link-local address; hop limit 1 is the packet's.</param>
    /// <param name="response">In milliseconds, below 32,768.</param>
    /// <param name="interval">In seconds, below 128.</param>
    public static void WriteQuery(Span<byte> to, IpAddress source, IpAddress destination, ushort response, byte robustness, byte interval)
    {
        to = to[..QuerySize];
        to.Clear();
        to[24] = robustness;
        to[25] = interval;
        IcmpMessage.WriteHeader(to, source, destination, (byte)Icmp6Type.MulticastQuery, 0, (uint)response << 16);
    }

    private WireFault Check()
    {
        if (Type == Icmp6Type.MulticastReportV2)
            return GroupRecords.Check(_bytes[IcmpMessage.HeaderSize..], ReadUInt16BigEndian(_bytes[6..]), IpAddress.V6Size);
        if (_bytes.Length < Size)
            return WireFault.Truncated;
        if (Type != Icmp6Type.MulticastQuery)
            return GroupRecord.IsGroup(Group, IpAddress.V6Size) ? WireFault.None : WireFault.Address;
        // RFC 3810 8.1: of 24 bytes, or of 28 and more; between there is none.
        if (_bytes.Length is > Size and < QuerySize)
            return WireFault.Length;
        if (!Group.IsUnspecified && !GroupRecord.IsGroup(Group, IpAddress.V6Size))
            return WireFault.Address;
        return IsV2Query && QuerySize + ReadUInt16BigEndian(_bytes[26..]) * IpAddress.V6Size > _bytes.Length ? WireFault.Truncated : WireFault.None;
    }
}
