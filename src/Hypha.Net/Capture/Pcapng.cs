using System.Text;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Capture;

/// <summary>Which way a frame went, seen from the host's end of the link (epb_flags, bits 0 and 1).</summary>
public enum FrameDirection
{
    /// <summary>From the guest.</summary>
    Inbound = 1,

    /// <summary>To the guest.</summary>
    Outbound = 2,
}

/// <summary>Blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian, with times in nanoseconds since 1970.</summary>
public static class Pcapng
{
    private const uint SectionHeader = 0x0A0D0D0A, InterfaceDescription = 1, InterfaceStatistics = 5, EnhancedPacket = 6; // 4.1, 4.2, 4.6, 4.3
    private const ushort Ethernet = 1; // LINKTYPE_ETHERNET

    private const int EndOfOptions = 4; // bytes

    /// <summary>An enhanced packet block's bytes before the frame, and after it and what fills it up to four bytes.</summary>
    public const int PacketHeaderSize = 28, PacketTrailerSize = 8 + EndOfOptions + 4;

    public const int StatisticsSize = 20 + 3 * 12 + EndOfOptions + 4;

    /// <summary>Bytes that a frame's part takes.</summary>
    public static int Padded(int length) => (length + 3) & ~3;

    /// <summary>What a file begins with: the section's header, and one interface.</summary>
    /// <param name="snapLength">Bytes that are kept of a frame; 0: all.</param>
    /// <param name="filter">Empty: none.</param>
    public static byte[] Begin(string interfaceName, int snapLength, string filter)
    {
        var section = new BlockWriter(SectionHeader);
        section.UInt32(0x1A2B3C4D);  // the byte order
        section.UInt16(1);           // version 1.0
        section.UInt16(0);
        section.UInt64(ulong.MaxValue); // of no known length
        section.Option(4, "hyphanet"u8); // shb_userappl

        var description = new BlockWriter(InterfaceDescription);
        description.UInt16(Ethernet);
        description.UInt16(0);
        description.UInt32((uint)snapLength);
        description.Option(2, Encoding.UTF8.GetBytes(interfaceName)); // if_name
        description.Option(9, [9]); // if_tsresol: nanoseconds
        if (filter.Length > 0)
            description.Option(11, [0, .. Encoding.UTF8.GetBytes(filter)]); // if_filter: in words
        return [.. section.End(), .. description.End()];
    }

    /// <summary>Writes what stands before a frame.</summary>
    /// <param name="time">Nanoseconds since 1970.</param>
    /// <param name="captured">Bytes that are kept.</param>
    /// <param name="original">Bytes that there were.</param>
    public static void WritePacketHeader(Span<byte> to, ulong time, int captured, int original)
    {
        WriteUInt32LittleEndian(to, EnhancedPacket);
        WriteUInt32LittleEndian(to[4..], PacketLength(captured));
        WriteUInt32LittleEndian(to[8..], 0); // the one interface
        WriteTime(to[12..], time);
        WriteUInt32LittleEndian(to[20..], (uint)captured);
        WriteUInt32LittleEndian(to[24..], (uint)original);
    }

    /// <summary>Writes what stands after it and its padding.</summary>
    public static void WritePacketTrailer(Span<byte> to, FrameDirection direction, int captured)
    {
        WriteUInt16LittleEndian(to, 2); // epb_flags
        WriteUInt16LittleEndian(to[2..], 4);
        WriteUInt32LittleEndian(to[4..], (uint)direction);
        WriteUInt32LittleEndian(to[8..], 0); // opt_endofopt
        WriteUInt32LittleEndian(to[12..], PacketLength(captured));
    }

    /// <summary>Writes how many frames were seen, taken and dropped.</summary>
    public static void WriteStatistics(Span<byte> to, ulong time, ulong seen, ulong taken, ulong dropped)
    {
        WriteUInt32LittleEndian(to, InterfaceStatistics);
        WriteUInt32LittleEndian(to[4..], StatisticsSize);
        WriteUInt32LittleEndian(to[8..], 0);
        WriteTime(to[12..], time);
        WriteCounter(to[20..], 4, seen);    // isb_ifrecv
        WriteCounter(to[32..], 5, dropped); // isb_ifdrop
        WriteCounter(to[44..], 6, taken);   // isb_filteraccept
        WriteUInt32LittleEndian(to[56..], 0);
        WriteUInt32LittleEndian(to[60..], StatisticsSize);
    }

    private static uint PacketLength(int captured) => (uint)(PacketHeaderSize + Padded(captured) + PacketTrailerSize);

    /// <summary>Its upper half comes first, in any byte order.</summary>
    private static void WriteTime(Span<byte> to, ulong time)
    {
        WriteUInt32LittleEndian(to, (uint)(time >> 32));
        WriteUInt32LittleEndian(to[4..], (uint)time);
    }

    private static void WriteCounter(Span<byte> to, ushort code, ulong value)
    {
        WriteUInt16LittleEndian(to, code);
        WriteUInt16LittleEndian(to[2..], 8);
        WriteUInt64LittleEndian(to[4..], value);
    }

    /// <summary>A block as it grows: its length stands at both ends of it.</summary>
    private sealed class BlockWriter
    {
        private readonly List<byte> _bytes = [];

        public BlockWriter(uint type)
        {
            UInt32(type);
            UInt32(0);
        }

        public void UInt16(ushort value) => _bytes.AddRange(BitConverter.GetBytes(value));

        public void UInt32(uint value) => _bytes.AddRange(BitConverter.GetBytes(value));

        public void UInt64(ulong value) => _bytes.AddRange(BitConverter.GetBytes(value));

        public void Option(ushort code, ReadOnlySpan<byte> value)
        {
            UInt16(code);
            UInt16((ushort)value.Length);
            _bytes.AddRange(value);
            _bytes.AddRange(new byte[Padded(value.Length) - value.Length]);
        }

        public byte[] End()
        {
            UInt32(0); // opt_endofopt
            UInt32(0);
            byte[] block = [.. _bytes];
            WriteUInt32LittleEndian(block.AsSpan(4), (uint)block.Length);
            WriteUInt32LittleEndian(block.AsSpan(block.Length - 4), (uint)block.Length);
            return block;
        }
    }
}
