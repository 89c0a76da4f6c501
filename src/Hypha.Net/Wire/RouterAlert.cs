using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>
/// The headers of a packet that is for every router, whomever it is to, and goes no further than the link: the option Router Alert (RFC 2113; over IPv6
/// RFC 2711, in a hop-by-hop header), one hop, and a precedence of control (RFC 3376 4, RFC 3810 5).
/// </summary>
public static class RouterAlert
{
    public const int SizeV4 = Ipv4Packet.HeaderSize + 4, SizeV6 = Ipv6Packet.HeaderSize + 8; // bytes

    private const byte InternetworkControl = 0xC0;

    /// <param name="to">At least <see cref="SizeV6"/>.</param>
    /// <param name="length">Of the payload.</param>
    /// <returns>How long the headers are.</returns>
    public static int WriteHeaders(Span<byte> to, IpAddress source, IpAddress destination, IpProtocol protocol, int length)
    {
        if (source.IsV4)
        {
            to = to[..SizeV4];
            Ipv4Packet.Write(to, source, destination, protocol, SizeV4 + length, timeToLive: 1, InternetworkControl);
            to[0] = 0x40 | SizeV4 / 4;
            WriteUInt32BigEndian(to[Ipv4Packet.HeaderSize..], 0x94_04_0000); // copied into fragments, of 4 bytes: look at it
            WriteUInt16BigEndian(to[10..], 0);
            WriteUInt16BigEndian(to[10..], Checksum.Of(to));
            return SizeV4;
        }
        Ipv6Packet.Write(to, source, destination, IpProtocol.HopByHop, SizeV6 - Ipv6Packet.HeaderSize + length, hopLimit: 1, InternetworkControl);
        Span<byte> options = to[Ipv6Packet.HeaderSize..SizeV6];
        options[0] = (byte)protocol;
        options[1] = 0; // of 8 bytes
        WriteUInt32BigEndian(options[2..], 0x05_02_0000); // MLD, for whoever routes (RFC 2711 2.1)
        WriteUInt16BigEndian(options[6..], 0x01_00); // PadN of two bytes
        return SizeV6;
    }
}
