using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>An IPv6 packet (RFC 8200 3) up to the header that is no extension.</summary>
public readonly ref struct Ipv6Packet
{
    public const int HeaderSize = 40; // bytes
    public const int FragmentHeaderSize = 8;
    public const int MinimumMtu = 1280; // RFC 8200 5

    private const int MaximumExtensions = 8;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _payloadAt;
    private readonly int _fragmentAt; // 0 when it is none

    private Ipv6Packet(ReadOnlySpan<byte> bytes, int payloadAt, int fragmentAt, IpProtocol protocol)
    {
        _bytes = bytes;
        _payloadAt = payloadAt;
        _fragmentAt = fragmentAt;
        Protocol = protocol;
    }

    public byte TrafficClass => (byte)(ReadUInt16BigEndian(_bytes) >> 4);                    // 4 bits into 0..2
    public byte HopLimit => _bytes[7];                                                       // 7
    public IpAddress Source => IpAddress.ReadV6(_bytes[8..]);                                // 8..24
    public IpAddress Destination => IpAddress.ReadV6(_bytes[24..]);                          // 24..40

    /// <summary>Of the payload: the first header that is no extension. Of a fragment: what its own header says comes first in the whole.</summary>
    public IpProtocol Protocol { get; }

    public ReadOnlySpan<byte> Payload => _bytes[_payloadAt..];

    /// <summary>Headers and payload, without what Ethernet padded.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    public bool IsFragment => _fragmentAt != 0;

    /// <summary>The extension headers that each fragment repeats, and the fixed header before them (RFC 8200 4.5, per-fragment headers).</summary>
    public ReadOnlySpan<byte> HeadersBeforeFragment => _bytes[.._fragmentAt];

    public int FragmentOffset => ReadUInt16BigEndian(_bytes[(_fragmentAt + 2)..]) & 0xFFF8;  // 13 bits, in bytes
    public bool MoreFragments => (_bytes[_fragmentAt + 3] & 1) != 0;
    public uint Identification => ReadUInt32BigEndian(_bytes[(_fragmentAt + 4)..]);

    /// <param name="bytes">May be longer than the packet.</param>
    /// <param name="at">Where the header or field lies that is at fault (for a parameter problem, RFC 4443 3.4).</param>
    public static WireFault TryParse(ReadOnlySpan<byte> bytes, out Ipv6Packet packet, out int at)
    {
        packet = default;
        at = 0;
        if (bytes.Length < HeaderSize)
            return WireFault.Truncated;
        if (bytes[0] >> 4 != 6)
            return WireFault.Version;
        int total = HeaderSize + ReadUInt16BigEndian(bytes[4..]);
        if (total > bytes.Length)
            return WireFault.Truncated;
        bytes = bytes[..total];

        var next = (IpProtocol)bytes[6];
        int position = HeaderSize;
        for (int depth = 0; ; depth++)
        {
            at = position;
            if (next is not (IpProtocol.HopByHop or IpProtocol.DestinationOptions or IpProtocol.Routing or IpProtocol.Fragment))
            {
                packet = new Ipv6Packet(bytes, position, 0, next);
                break;
            }
            if (depth == MaximumExtensions)
                return WireFault.TooDeep;
            if (bytes.Length - position < FragmentHeaderSize)
                return WireFault.Truncated;
            if (next == IpProtocol.HopByHop && depth > 0) // RFC 8200 4.1: only right after the fixed header
                return WireFault.Options;
            if (next == IpProtocol.Fragment)
            {
                packet = new Ipv6Packet(bytes, position + FragmentHeaderSize, position, (IpProtocol)bytes[position]);
                // RFC 6946: whole in spite of its fragment header, and to be taken by itself. The headers behind are read as usual.
                if (packet.FragmentOffset != 0 || packet.MoreFragments)
                    break;
                next = packet.Protocol;
                position += FragmentHeaderSize;
                continue;
            }
            int length = (bytes[position + 1] + 1) * 8;
            if (length > bytes.Length - position)
                return WireFault.Truncated;
            next = (IpProtocol)bytes[position];
            position += length;
        }
        // An IPv4 address in IPv6's clothes is not for the wire (RFC 4942 2.2); a group speaks for nobody.
        return packet.Source.IsV4 || packet.Destination.IsV4 || packet.Source.IsMulticast ? WireFault.Address : WireFault.None;
    }

    /// <summary>Writes the fixed header.</summary>
    /// <param name="length">Of what follows it.</param>
    public static void Write(Span<byte> to, IpAddress source, IpAddress destination, IpProtocol next, int length, byte hopLimit = 64, byte trafficClass = 0)
    {
        WriteUInt32BigEndian(to, 0x6000_0000 | (uint)trafficClass << 20);
        WriteUInt16BigEndian(to[4..], checked((ushort)length));
        to[6] = (byte)next;
        to[7] = hopLimit;
        source.Write(to[8..]);
        destination.Write(to[24..]);
    }
}
