using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>An IPv4 packet (RFC 791 3.1).</summary>
public readonly ref struct Ipv4Packet
{
    public const int HeaderSize = 20; // bytes, without options, as we write it
    public const int MaximumSize = 65535;

    private readonly ReadOnlySpan<byte> _bytes;

    private Ipv4Packet(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public int HeaderLength => (_bytes[0] & 0xF) * 4;                                        // 0, low half: with options
    public byte TrafficClass => _bytes[1];                                                   // 1, DSCP and ECN
    public ushort Identification => ReadUInt16BigEndian(_bytes[4..]);                        // 4..6
    public bool DontFragment => (_bytes[6] & 0x40) != 0;                                     // 6, a bit
    public bool MoreFragments => (_bytes[6] & 0x20) != 0;                                    // 6, a bit
    public int FragmentOffset => (ReadUInt16BigEndian(_bytes[6..]) & 0x1FFF) * 8;            // 6..8, 13 bits, in bytes
    public byte TimeToLive => _bytes[8];                                                     // 8
    public IpProtocol Protocol => (IpProtocol)_bytes[9];                                     // 9
    public IpAddress Source => IpAddress.ReadV4(_bytes[12..]);                               // 12..16
    public IpAddress Destination => IpAddress.ReadV4(_bytes[16..]);                          // 16..20
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    public bool IsFragment => MoreFragments || FragmentOffset != 0;

    /// <summary>Header and payload, without what Ethernet padded.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <param name="bytes">May be longer than the packet: short frames are padded.</param>
    /// <param name="checkHeader">False where whoever gave us the packet vouches for it.</param>
    public static WireFault TryParse(ReadOnlySpan<byte> bytes, out Ipv4Packet packet, bool checkHeader = true)
    {
        packet = default;
        if (bytes.Length < HeaderSize)
            return WireFault.Truncated;
        if (bytes[0] >> 4 != 4)
            return WireFault.Version;
        int header = (bytes[0] & 0xF) * 4;
        int total = ReadUInt16BigEndian(bytes[2..]);
        if (header < HeaderSize)
            return WireFault.HeaderLength;
        if (total < header)
            return WireFault.Length;
        if (total > bytes.Length)
            return WireFault.Truncated;
        if (checkHeader && Checksum.Of(bytes[..header]) != 0)
            return WireFault.Checksum;
        packet = new Ipv4Packet(bytes[..total]);
        return WireFault.None;
    }

    /// <summary>Writes a header without options, checksum included.</summary>
    /// <param name="to">At least <see cref="HeaderSize"/>.</param>
    /// <param name="length">Of the whole packet.</param>
    /// <param name="identification">0 with DF set (RFC 6864 4.1).</param>
    public static void Write(Span<byte> to, IpAddress source, IpAddress destination, IpProtocol protocol, int length,
        byte timeToLive = 64, byte trafficClass = 0, ushort identification = 0, bool dontFragment = true)
    {
        Write(to, source, destination, protocol, length, timeToLive, trafficClass, identification, dontFragment ? (ushort)0x4000 : (ushort)0);
    }

    /// <summary>Writes a fragment's header.</summary>
    /// <param name="length">Of the fragment's payload.</param>
    /// <param name="offset">A multiple of 8.</param>
    public static void WriteFragment(Span<byte> to, IpAddress source, IpAddress destination, IpProtocol protocol, int length, byte timeToLive, ushort identification,
        int offset, bool more) =>
        Write(to, source, destination, protocol, HeaderSize + length, timeToLive, 0, identification, (ushort)(offset / 8 | (more ? 0x2000 : 0)));

    private static void Write(Span<byte> to, IpAddress source, IpAddress destination, IpProtocol protocol, int length, byte timeToLive, byte trafficClass,
        ushort identification, ushort fragment)
    {
        to = to[..HeaderSize];
        to[0] = 0x45;
        to[1] = trafficClass;
        WriteUInt16BigEndian(to[2..], checked((ushort)length));
        WriteUInt16BigEndian(to[4..], identification);
        WriteUInt16BigEndian(to[6..], fragment);
        to[8] = timeToLive;
        to[9] = (byte)protocol;
        WriteUInt16BigEndian(to[10..], 0);
        WriteUInt32BigEndian(to[12..], source.V4);
        WriteUInt32BigEndian(to[16..], destination.V4);
        WriteUInt16BigEndian(to[10..], Checksum.Of(to));
    }
}
