using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>RFC 792; IANA, ICMP Parameters.</summary>
public enum IcmpType : byte
{
    EchoReply = 0,
    Unreachable = 3,
    Echo = 8,
    TimeExceeded = 11,
    ParameterProblem = 12,
}

/// <summary>Codes of <see cref="IcmpType.Unreachable"/> (RFC 792, RFC 1122 3.2.2.1).</summary>
public enum IcmpUnreachable : byte
{
    Network = 0,
    Host = 1,
    Protocol = 2,
    Port = 3,
    FragmentationNeeded = 4,
    NetworkProhibited = 9,
    HostProhibited = 10,
    Prohibited = 13,
}

/// <summary>RFC 4443; RFC 4861 4; RFC 2710 3.1, RFC 3810 5.</summary>
public enum Icmp6Type : byte
{
    Unreachable = 1,
    PacketTooBig = 2,
    TimeExceeded = 3,
    ParameterProblem = 4,
    Echo = 128,
    EchoReply = 129,
    MulticastQuery = 130,
    MulticastReport = 131,
    MulticastDone = 132,
    RouterSolicitation = 133,
    RouterAdvertisement = 134,
    NeighborSolicitation = 135,
    NeighborAdvertisement = 136,
    Redirect = 137,
    MulticastReportV2 = 143,
}

/// <summary>Codes of <see cref="Icmp6Type.Unreachable"/> (RFC 4443 3.1).</summary>
public enum Icmp6Unreachable : byte
{
    NoRoute = 0,
    Prohibited = 1,
    Address = 3,
    Port = 4,
}

/// <summary>An ICMP (RFC 792) or ICMPv6 (RFC 4443 2.1) message: type, code, checksum, four bytes that depend on both, and the rest.</summary>
public readonly ref struct IcmpMessage
{
    public const int HeaderSize = 8; // bytes

    private readonly ReadOnlySpan<byte> _bytes;

    private IcmpMessage(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public byte Type => _bytes[0];                                              // 0
    public byte Code => _bytes[1];                                              // 1
    public uint Parameter => ReadUInt32BigEndian(_bytes[4..]);                  // 4..8: an MTU, a pointer, …
    public ushort EchoId => ReadUInt16BigEndian(_bytes[4..]);                   // 4..6 of an echo
    public ushort EchoSequence => ReadUInt16BigEndian(_bytes[6..]);             // 6..8 of an echo
    public ReadOnlySpan<byte> Body => _bytes[HeaderSize..];
    public ReadOnlySpan<byte> Bytes => _bytes;

    public static WireFault TryParse(ReadOnlySpan<byte> bytes, IpAddress source, IpAddress destination, out IcmpMessage message, bool checkSum = true)
    {
        message = default;
        if (bytes.Length < HeaderSize)
            return WireFault.Truncated;
        if (checkSum && Sum(bytes, source, destination) != 0)
            return WireFault.Checksum;
        message = new IcmpMessage(bytes);
        return WireFault.None;
    }

    /// <summary>Writes the header in front of a body that is in its place already.</summary>
    /// <param name="message">Header and body.</param>
    public static void WriteHeader(Span<byte> message, IpAddress source, IpAddress destination, byte type, byte code, uint parameter)
    {
        message[0] = type;
        message[1] = code;
        WriteUInt16BigEndian(message[2..], 0);
        WriteUInt32BigEndian(message[4..], parameter);
        WriteUInt16BigEndian(message[2..], Sum(message, source, destination));
    }

    // RFC 4443 2.3: ICMPv6 has a pseudo header, ICMP has none.
    private static ushort Sum(ReadOnlySpan<byte> message, IpAddress source, IpAddress destination) =>
        (source.IsV4 ? default : Checksum.OfPseudoHeader(source, destination, IpProtocol.Icmp6, message.Length)).Add(message).Value;
}
