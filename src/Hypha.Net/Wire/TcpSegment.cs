using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

[Flags]
public enum TcpFlags : byte
{
    None = 0,
    Fin = 1,
    Syn = 2,
    Rst = 4,
    Psh = 8,
    Ack = 16,
    Urg = 32,
    Ece = 64,
    Cwr = 128,
}

/// <summary>A TCP segment (RFC 9293 3.1). One that came with segmentation offload is as long as an IP packet can be.</summary>
public readonly ref struct TcpSegment
{
    public const int HeaderSize = 20; // bytes, without options

    private readonly ReadOnlySpan<byte> _bytes;

    private TcpSegment(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public ushort SourcePort => ReadUInt16BigEndian(_bytes);                    // 0..2
    public ushort DestinationPort => ReadUInt16BigEndian(_bytes[2..]);          // 2..4
    public SequenceNumber Sequence => new(ReadUInt32BigEndian(_bytes[4..]));    // 4..8
    public SequenceNumber Acknowledgment => new(ReadUInt32BigEndian(_bytes[8..])); // 8..12
    public int HeaderLength => (_bytes[12] >> 4) * 4;                           // 12, high half: with options
    public TcpFlags Flags => (TcpFlags)_bytes[13];                              // 13
    public ushort Window => ReadUInt16BigEndian(_bytes[14..]);                  // 14..16, not scaled
    public ReadOnlySpan<byte> Options => _bytes[HeaderSize..HeaderLength];
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    /// <summary>How much of the sequence space it takes (RFC 9293 3.4, SEG.LEN).</summary>
    public int SequenceLength => Payload.Length + ((Flags & TcpFlags.Syn) != 0 ? 1 : 0) + ((Flags & TcpFlags.Fin) != 0 ? 1 : 0);

    /// <param name="bytes">The IP packet's payload.</param>
    /// <param name="checkSum">False where whoever gave us the packet vouches for its data.</param>
    public static WireFault TryParse(ReadOnlySpan<byte> bytes, IpAddress source, IpAddress destination, out TcpSegment segment, bool checkSum = true)
    {
        segment = default;
        if (bytes.Length < HeaderSize)
            return WireFault.Truncated;
        int header = (bytes[12] >> 4) * 4;
        if (header < HeaderSize)
            return WireFault.HeaderLength;
        if (header > bytes.Length)
            return WireFault.Truncated;
        if (checkSum && Checksum.OfPseudoHeader(source, destination, IpProtocol.Tcp, bytes.Length).Add(bytes).Value != 0)
            return WireFault.Checksum;
        segment = new TcpSegment(bytes);
        return WireFault.None;
    }

    /// <summary>Writes a header whose options are in their place already; the checksum's field is left 0.</summary>
    /// <param name="to">The header with its options: 20 to 60 bytes, a multiple of 4.</param>
    public static void WriteHeader(Span<byte> to, ushort sourcePort, ushort destinationPort, SequenceNumber sequence, SequenceNumber acknowledgment,
        TcpFlags flags, ushort window)
    {
        WriteUInt16BigEndian(to, sourcePort);
        WriteUInt16BigEndian(to[2..], destinationPort);
        WriteUInt32BigEndian(to[4..], sequence.Value);
        WriteUInt32BigEndian(to[8..], acknowledgment.Value);
        to[12] = (byte)(to.Length / 4 << 4);
        to[13] = (byte)flags;
        WriteUInt16BigEndian(to[14..], window);
        WriteUInt32BigEndian(to[16..], 0);
    }

    public static void WriteChecksum(Span<byte> header, ushort checksum) => WriteUInt16BigEndian(header[16..], checksum);
}

/// <summary>A place in a TCP stream, modulo 2^32 (RFC 9293 3.4).</summary>
public readonly record struct SequenceNumber(uint Value)
{
    public static SequenceNumber operator +(SequenceNumber from, int bytes) => new(from.Value + (uint)bytes);

    public static SequenceNumber operator -(SequenceNumber from, int bytes) => new(from.Value - (uint)bytes);

    /// <summary>How far <paramref name="to"/> is ahead of <paramref name="from"/>; negative when it is behind.</summary>
    public static int operator -(SequenceNumber to, SequenceNumber from) => (int)(to.Value - from.Value);

    public static bool operator <(SequenceNumber a, SequenceNumber b) => a - b < 0;

    public static bool operator >(SequenceNumber a, SequenceNumber b) => a - b > 0;

    public static bool operator <=(SequenceNumber a, SequenceNumber b) => a - b <= 0;

    public static bool operator >=(SequenceNumber a, SequenceNumber b) => a - b >= 0;

    public override string ToString() => Value.ToString();
}
