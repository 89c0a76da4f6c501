using Hypha.Net.Wire;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Capture;

/// <summary>
/// What a frame says of itself, as far as it goes: of a frame's beginning, and whether it is in order or not, so the parsers, which want whole
/// packets, do not serve here.
/// </summary>
internal readonly record struct FrameHeaders
{
    private const int MostExtensions = 8;

    public EtherType Type { get; private init; }

    public bool IsIp { get; private init; }

    /// <summary>Of what follows IP's headers, extensions included.</summary>
    public IpProtocol Protocol { get; private init; }

    /// <summary>IP's, or ARP's.</summary>
    public bool HasAddresses { get; private init; }

    public IpAddress Source { get; private init; }

    public IpAddress Destination { get; private init; }

    /// <summary>TCP or UDP, and not a later fragment.</summary>
    public bool HasPorts { get; private init; }

    public ushort SourcePort { get; private init; }

    public ushort DestinationPort { get; private init; }

    public static FrameHeaders Read(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < EthernetFrame.HeaderSize)
            return default;
        var type = (EtherType)ReadUInt16BigEndian(frame[12..]);
        ReadOnlySpan<byte> packet = frame[EthernetFrame.HeaderSize..];
        return type switch
        {
            EtherType.Arp when packet.Length >= ArpPacket.Size => new FrameHeaders
            {
                Type = type,
                HasAddresses = true,
                Source = IpAddress.ReadV4(packet[14..]),
                Destination = IpAddress.ReadV4(packet[24..]),
            },
            EtherType.Ipv4 when packet.Length >= Ipv4Packet.HeaderSize => ReadV4(packet),
            EtherType.Ipv6 when packet.Length >= Ipv6Packet.HeaderSize => ReadV6(packet),
            _ => new FrameHeaders { Type = type },
        };
    }

    private static FrameHeaders ReadV4(ReadOnlySpan<byte> packet)
    {
        int header = (packet[0] & 0xF) * 4;
        var headers = new FrameHeaders
        {
            Type = EtherType.Ipv4,
            IsIp = true,
            Protocol = (IpProtocol)packet[9],
            HasAddresses = true,
            Source = IpAddress.ReadV4(packet[12..]),
            Destination = IpAddress.ReadV4(packet[16..]),
        };
        bool first = (ReadUInt16BigEndian(packet[6..]) & 0x1FFF) == 0;
        return first && header <= packet.Length ? headers.WithPorts(packet[header..]) : headers;
    }

    private static FrameHeaders ReadV6(ReadOnlySpan<byte> packet)
    {
        var next = (IpProtocol)packet[6];
        ReadOnlySpan<byte> rest = packet[Ipv6Packet.HeaderSize..];
        bool first = true;
        for (int i = 0; i < MostExtensions && rest.Length >= 8; i++)
        {
            if (next is not (IpProtocol.HopByHop or IpProtocol.DestinationOptions or IpProtocol.Routing or IpProtocol.Fragment))
                break;
            int length = next == IpProtocol.Fragment ? Ipv6Packet.FragmentHeaderSize : (rest[1] + 1) * 8;
            first &= next != IpProtocol.Fragment || (ReadUInt16BigEndian(rest[2..]) & 0xFFF8) == 0;
            next = (IpProtocol)rest[0];
            rest = rest[Math.Min(length, rest.Length)..];
            if (!first)
                break;
        }
        var headers = new FrameHeaders
        {
            Type = EtherType.Ipv6,
            IsIp = true,
            Protocol = next,
            HasAddresses = true,
            Source = IpAddress.ReadV6(packet[8..]),
            Destination = IpAddress.ReadV6(packet[24..]),
        };
        return first ? headers.WithPorts(rest) : headers;
    }

    private FrameHeaders WithPorts(ReadOnlySpan<byte> transport) =>
        Protocol is IpProtocol.Tcp or IpProtocol.Udp && transport.Length >= 4
            ? this with { HasPorts = true, SourcePort = ReadUInt16BigEndian(transport), DestinationPort = ReadUInt16BigEndian(transport[2..]) }
            : this;
}
