using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>A UDP datagram (RFC 768).</summary>
public readonly ref struct UdpDatagram
{
    public const int HeaderSize = 8; // bytes

    private readonly ReadOnlySpan<byte> _bytes;

    private UdpDatagram(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public ushort SourcePort => ReadUInt16BigEndian(_bytes);                    // 0..2
    public ushort DestinationPort => ReadUInt16BigEndian(_bytes[2..]);          // 2..4
    public ReadOnlySpan<byte> Payload => _bytes[HeaderSize..];

    /// <param name="bytes">The IP packet's payload.</param>
    /// <param name="checkSum">False where whoever gave us the packet vouches for its data.</param>
    public static WireFault TryParse(ReadOnlySpan<byte> bytes, IpAddress source, IpAddress destination, out UdpDatagram datagram, bool checkSum = true)
    {
        datagram = default;
        if (bytes.Length < HeaderSize)
            return WireFault.Truncated;
        int length = ReadUInt16BigEndian(bytes[4..]);
        if (length < HeaderSize)
            return WireFault.Length;
        if (length > bytes.Length)
            return WireFault.Truncated;
        bytes = bytes[..length];
        bool none = ReadUInt16BigEndian(bytes[6..]) == 0;
        // RFC 8200 8.1: over IPv6 there is no datagram without a checksum.
        if (none && !source.IsV4)
            return WireFault.Checksum;
        if (checkSum && !none && Checksum.OfPseudoHeader(source, destination, IpProtocol.Udp, length).Add(bytes).Value != 0)
            return WireFault.Checksum;
        datagram = new UdpDatagram(bytes);
        return WireFault.None;
    }

    /// <summary>Writes the header in front of a payload that is in its place already.</summary>
    /// <param name="datagram">Header and payload.</param>
    /// <param name="source">Of the packet around it, for the checksum; <paramref name="destination"/> likewise.</param>
    public static void WriteHeader(Span<byte> datagram, IpAddress source, IpAddress destination, ushort sourcePort, ushort destinationPort)
    {
        WriteFields(datagram, sourcePort, destinationPort, datagram.Length);
        ushort sum = Checksum.OfPseudoHeader(source, destination, IpProtocol.Udp, datagram.Length).Add(datagram).Value;
        WriteUInt16BigEndian(datagram[6..], sum == 0 ? ushort.MaxValue : sum); // 0 would mean that there is none
    }

    /// <summary>Writes a header by itself, with the pseudo header's part of the checksum: whoever carries it adds the rest (<see cref="VirtioNetHeader.NeedsChecksum"/>).</summary>
    /// <param name="payload">Bytes that will follow.</param>
    public static void WriteHeaderOfPart(Span<byte> header, IpAddress source, IpAddress destination, ushort sourcePort, ushort destinationPort, int payload)
    {
        int length = HeaderSize + payload;
        WriteFields(header, sourcePort, destinationPort, length);
        WriteUInt16BigEndian(header[6..], Checksum.OfPseudoHeader(source, destination, IpProtocol.Udp, length).Partial);
    }

    private static void WriteFields(Span<byte> header, ushort sourcePort, ushort destinationPort, int length)
    {
        WriteUInt16BigEndian(header, sourcePort);
        WriteUInt16BigEndian(header[2..], destinationPort);
        WriteUInt16BigEndian(header[4..], checked((ushort)length));
        WriteUInt16BigEndian(header[6..], 0);
    }
}
