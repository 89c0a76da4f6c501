using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

/// <summary>A segment as it was sent, kept for a test to look at, or to deliver: as bytes with a header and a checksum.</summary>
internal sealed record SegmentCopy(SequenceNumber Sequence, SequenceNumber Acknowledgment, TcpFlags Flags, ushort Window, byte[] OptionBytes, byte[] Payload,
    int SegmentSize = 1460)
{
    public TcpOptions Options
    {
        get
        {
            TcpOptions.Read(OptionBytes, out TcpOptions options);
            return options;
        }
    }

    public bool Has(TcpFlags flag) => (Flags & flag) != 0;

    public SackBlock[] Blocks => Options.SackBlocks.ToArray();

    /// <summary>The bytes of a packet's payload, with its checksum.</summary>
    public byte[] Bytes(IpAddress source, ushort sourcePort, IpAddress destination, ushort destinationPort)
    {
        int header = TcpSegment.HeaderSize + OptionBytes.Length;
        byte[] bytes = new byte[header + Payload.Length];
        OptionBytes.CopyTo(bytes, TcpSegment.HeaderSize);
        Payload.CopyTo(bytes, header);
        TcpSegment.WriteHeader(bytes.AsSpan(0, header), sourcePort, destinationPort, Sequence, Acknowledgment, Flags, Window);
        TcpSegment.WriteChecksum(bytes, Checksum.OfPseudoHeader(source, destination, IpProtocol.Tcp, bytes.Length).Add(bytes).Value);
        return bytes;
    }

    /// <summary>What a card does with a long segment: as many as it takes, FIN and PSH with the last.</summary>
    public IEnumerable<SegmentCopy> Cut()
    {
        if (Payload.Length <= SegmentSize)
        {
            yield return this;
            yield break;
        }
        for (int at = 0; at < Payload.Length; at += SegmentSize)
        {
            bool last = at + SegmentSize >= Payload.Length;
            yield return this with
            {
                Sequence = Sequence + at,
                Payload = Payload[at..Math.Min(at + SegmentSize, Payload.Length)],
                Flags = last ? Flags : Flags & ~(TcpFlags.Fin | TcpFlags.Psh),
            };
        }
    }

    public static byte[] Write(in TcpOptions options)
    {
        byte[] bytes = new byte[TcpOptions.MaximumSize];
        return bytes[..options.Write(bytes)];
    }
}
