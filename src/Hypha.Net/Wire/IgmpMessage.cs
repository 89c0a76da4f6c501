using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>RFC 3376 4, with those of IGMPv1 and v2 (RFC 2236 2.1).</summary>
public enum IgmpType : byte
{
    Query = 0x11,
    ReportV1 = 0x12,
    ReportV2 = 0x16,
    Leave = 0x17,
    ReportV3 = 0x22,
}

/// <summary>Who is in which group over IPv4: a message of IGMPv2 (RFC 2236 2) or IGMPv3 (RFC 3376 4).</summary>
public readonly ref struct IgmpMessage
{
    public const int HeaderSize = 8; // bytes
    public const int QuerySize = 12; // of an IGMPv3 query without sources, as we write it

    private readonly ReadOnlySpan<byte> _bytes;

    private IgmpMessage(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public IgmpType Type => (IgmpType)_bytes[0];                                // 0

    /// <summary>Of a query: in which time to answer, in tenths of a second below 128 (RFC 3376 4.1.1).</summary>
    public byte MaximumResponse => _bytes[1];                                   // 1

    public IpAddress Group => IpAddress.ReadV4(_bytes[4..]);                    // 4..8, but for an IGMPv3 report; of a general query 0.0.0.0

    public GroupRecords Records =>                                              // 6..8 of an IGMPv3 report says how many, and they follow
        Type == IgmpType.ReportV3 ? new GroupRecords(_bytes[HeaderSize..], ReadUInt16BigEndian(_bytes[6..]), IpAddress.V4Size) : default;

    public bool IsV3Query => Type == IgmpType.Query && _bytes.Length >= QuerySize;

    /// <summary>Of an IGMPv3 query: how often what is lost is said again (QRV), and seconds between queries below 128 (QQIC).</summary>
    public int Robustness => _bytes[8] & 7;                                     // 8, low bits

    public byte Interval => _bytes[9];                                          // 9

    public static WireFault TryParse(ReadOnlySpan<byte> bytes, out IgmpMessage message, bool checkSum = true)
    {
        message = default;
        if (bytes.Length < HeaderSize)
            return WireFault.Truncated;
        // RFC 3376 4.1.2: over the whole payload of the packet.
        if (checkSum && Checksum.Of(bytes) != 0)
            return WireFault.Checksum;
        message = new IgmpMessage(bytes);
        return message.Check();
    }

    /// <summary>Writes a general query of IGMPv3, which older hosts read as one of theirs (RFC 3376 7.2.1).</summary>
    /// <param name="to">At least <see cref="QuerySize"/>.</param>
    /// <param name="response">In tenths of a second, below 128.</param>
    /// <param name="interval">In seconds, below 128.</param>
    public static void WriteQuery(Span<byte> to, byte response, byte robustness, byte interval)
    {
        to = to[..QuerySize];
        to.Clear();
        to[0] = (byte)IgmpType.Query;
        to[1] = response;
        to[8] = robustness;
        to[9] = interval;
        WriteUInt16BigEndian(to[2..], Checksum.Of(to));
    }

    private WireFault Check()
    {
        switch (Type)
        {
            case IgmpType.ReportV3:
                return GroupRecords.Check(_bytes[HeaderSize..], ReadUInt16BigEndian(_bytes[6..]), IpAddress.V4Size);
            case IgmpType.ReportV1 or IgmpType.ReportV2 or IgmpType.Leave:
                return Group.IsMulticast ? WireFault.None : WireFault.Address;
            case IgmpType.Query:
                // RFC 3376 7.1: of 8 bytes, or of 12 and more; between there is none.
                if (_bytes.Length is > HeaderSize and < QuerySize)
                    return WireFault.Length;
                if (!Group.IsUnspecified && !Group.IsMulticast)
                    return WireFault.Address;
                return IsV3Query && QuerySize + ReadUInt16BigEndian(_bytes[10..]) * IpAddress.V4Size > _bytes.Length ? WireFault.Truncated : WireFault.None;
            default:
                return WireFault.Version;
        }
    }
}
