using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>Data that arrived ahead of a gap: from <paramref name="Start"/> up to, not with, <paramref name="End"/> (RFC 2018 3).</summary>
public readonly record struct SackBlock(SequenceNumber Start, SequenceNumber End);

/// <summary>What a segment's options say; those that are not known are passed over (RFC 9293 3.1, MUST-6).</summary>
public struct TcpOptions
{
    public const int MaximumSize = 40; // bytes
    public const int MaximumBlocks = 4;

    private const byte EndOfList = 0, NoOperation = 1, MaximumSegmentSize = 2, WindowScaling = 3, SackPermittedKind = 4, Sack = 5, TimestampsKind = 8;

    /// <summary>RFC 7323 2.3: larger shifts count as this.</summary>
    public const int MaximumShift = 14;

    private Blocks _blocks;

    /// <summary>RFC 9293 3.7.1; null when not said.</summary>
    public ushort? SegmentSize;

    /// <summary>RFC 7323 2.2; null when not said.</summary>
    public byte? WindowShift;

    /// <summary>RFC 2018 2.</summary>
    public bool SackPermitted;

    /// <summary>RFC 7323 3.2.</summary>
    public bool HasTimestamps;
    public uint TimestampValue;
    public uint TimestampEcho;

    /// <summary>0 to 4.</summary>
    public int BlockCount;

    [UnscopedRef]
    public readonly ReadOnlySpan<SackBlock> SackBlocks => ((ReadOnlySpan<SackBlock>)_blocks)[..BlockCount];

    /// <summary>Reads the options of a header. A broken length ends the list; what came before counts (as Linux and BSD do).</summary>
    public static void Read(ReadOnlySpan<byte> bytes, out TcpOptions options)
    {
        options = default;
        while (bytes.Length > 0 && bytes[0] != EndOfList)
        {
            if (bytes[0] == NoOperation)
            {
                bytes = bytes[1..];
                continue;
            }
            if (bytes.Length < 2 || bytes[1] < 2 || bytes[1] > bytes.Length)
                return;
            ReadOnlySpan<byte> value = bytes[2..bytes[1]];
            switch (bytes[0])
            {
                case MaximumSegmentSize when value.Length == 2:
                    options.SegmentSize = ReadUInt16BigEndian(value);
                    break;
                case WindowScaling when value.Length == 1:
                    options.WindowShift = Math.Min(value[0], (byte)MaximumShift);
                    break;
                case SackPermittedKind when value.Length == 0:
                    options.SackPermitted = true;
                    break;
                case Sack when value.Length % 8 == 0:
                    for (; value.Length > 0 && options.BlockCount < MaximumBlocks; value = value[8..])
                        options.Add(new SackBlock(new(ReadUInt32BigEndian(value)), new(ReadUInt32BigEndian(value[4..]))));
                    break;
                case TimestampsKind when value.Length == 8:
                    options.HasTimestamps = true;
                    options.TimestampValue = ReadUInt32BigEndian(value);
                    options.TimestampEcho = ReadUInt32BigEndian(value[4..]);
                    break;
            }
            bytes = bytes[bytes[1]..];
        }
    }

    public void Add(SackBlock block) => _blocks[BlockCount++] = block;

    /// <summary>Writes what is set, padded to a multiple of 4; blocks for which there is no room are left out.</summary>
    /// <param name="to">At least <see cref="MaximumSize"/>.</param>
    /// <returns>How many bytes.</returns>
    public readonly int Write(Span<byte> to)
    {
        int at = 0;
        if (SegmentSize is { } size)
        {
            to[at] = MaximumSegmentSize;
            to[at + 1] = 4;
            WriteUInt16BigEndian(to[(at + 2)..], size);
            at += 4;
        }
        if (WindowShift is { } shift)
        {
            to[at] = NoOperation;
            to[at + 1] = WindowScaling;
            to[at + 2] = 3;
            to[at + 3] = shift;
            at += 4;
        }
        if (SackPermitted)
        {
            to[at] = to[at + 1] = NoOperation;
            to[at + 2] = SackPermittedKind;
            to[at + 3] = 2;
            at += 4;
        }
        if (HasTimestamps)
        {
            to[at] = to[at + 1] = NoOperation;
            to[at + 2] = TimestampsKind;
            to[at + 3] = 10;
            WriteUInt32BigEndian(to[(at + 4)..], TimestampValue);
            WriteUInt32BigEndian(to[(at + 8)..], TimestampEcho);
            at += 12;
        }
        int blocks = Math.Min(BlockCount, (MaximumSize - at - 4) / 8);
        if (blocks > 0)
        {
            to[at] = to[at + 1] = NoOperation;
            to[at + 2] = Sack;
            to[at + 3] = (byte)(2 + 8 * blocks);
            at += 4;
            foreach (SackBlock block in SackBlocks[..blocks])
            {
                WriteUInt32BigEndian(to[at..], block.Start.Value);
                WriteUInt32BigEndian(to[(at + 4)..], block.End.Value);
                at += 8;
            }
        }
        return at;
    }

    [InlineArray(MaximumBlocks)]
    private struct Blocks
    {
        private SackBlock _first;
    }
}
