using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>
/// Data on its way to the guest, from the first byte that it has not acknowledged, and what is known of its fate (RFC 6675's scoreboard).
/// A connection has one only while there is such data.
/// </summary>
internal sealed class SendQueue
{
    private Piece[] _pieces = new Piece[8];
    private int _head, _count;

    /// <summary>What the guest has behind a gap.</summary>
    public SequenceRanges Sacked;

    /// <summary>Up to here, what is not <see cref="Sacked"/> counts as lost.</summary>
    public SequenceNumber LossEdge;

    /// <summary>Up to here, what was lost has been sent again (RFC 6675 2, HighRxt).</summary>
    public SequenceNumber Resent;

    /// <summary>A loss recovery ends when all up to here is acknowledged (RFC 6675 2, RecoveryPoint).</summary>
    public SequenceNumber RecoveryPoint;
    public bool Recovering;

    /// <summary>Acknowledgments in a row that acknowledged nothing, of a guest without SACK.</summary>
    public int Duplicates;

    /// <summary>A segment whose round trip is measured, of a guest without timestamps: when it was sent; 0 for none.</summary>
    public long TimedAt;
    public SequenceNumber TimedEnd;

    public Cubic Cubic;

    public int Length { get; private set; }

    public void Begin(SequenceNumber at)
    {
        LossEdge = Resent = RecoveryPoint = at;
        Recovering = false;
        Duplicates = 0;
        TimedAt = 0;
        Sacked.Clear();
        Cubic = default;
    }

    /// <summary>Room behind the last byte, in its block; empty when a new block is needed.</summary>
    public Span<byte> Room()
    {
        if (_count == 0)
            return default;
        ref Piece last = ref _pieces[(_head + _count - 1) & (_pieces.Length - 1)];
        int end = last.Offset + last.Length;
        // A block that is nearly full is left alone: small reads cost as much as large ones.
        return last.Block.Length - end >= 1_024 ? last.Block.AsSpan(end) : default;
    }

    /// <summary>Bytes were read into <see cref="Room"/>.</summary>
    public void Extend(int bytes)
    {
        _pieces[(_head + _count - 1) & (_pieces.Length - 1)].Length += bytes;
        Length += bytes;
    }

    public void Append(byte[] block, int length)
    {
        if (_count == _pieces.Length)
        {
            var larger = new Piece[_pieces.Length * 2];
            for (int i = 0; i < _count; i++)
                larger[i] = _pieces[(_head + i) & (_pieces.Length - 1)];
            _pieces = larger;
            _head = 0;
        }
        _pieces[(_head + _count++) & (_pieces.Length - 1)] = new Piece { Block = block, Length = length };
        Length += length;
    }

    /// <summary>Bytes from <paramref name="offset"/> on, as many as lie in two blocks, at most <paramref name="length"/>.</summary>
    public int Peek(int offset, int length, out ReadOnlySpan<byte> first, out ReadOnlySpan<byte> second)
    {
        first = second = default;
        for (int i = 0; i < _count; i++)
        {
            ref Piece piece = ref _pieces[(_head + i) & (_pieces.Length - 1)];
            if (offset >= piece.Length)
            {
                offset -= piece.Length;
                continue;
            }
            first = piece.Block.AsSpan(piece.Offset + offset, Math.Min(length, piece.Length - offset));
            if (first.Length < length && i + 1 < _count)
            {
                ref Piece next = ref _pieces[(_head + i + 1) & (_pieces.Length - 1)];
                second = next.Block.AsSpan(next.Offset, Math.Min(length - first.Length, next.Length));
            }
            break;
        }
        return first.Length + second.Length;
    }

    /// <summary>The guest has the first <paramref name="bytes"/>.</summary>
    public void Release(int bytes, TcpStack stack)
    {
        Length -= bytes;
        while (bytes > 0)
        {
            ref Piece piece = ref _pieces[_head];
            if (piece.Length > bytes)
            {
                piece.Length -= bytes;
                piece.Offset += bytes;
                break;
            }
            bytes -= piece.Length;
            stack.ReturnSendBlock(piece.Block);
            piece = default;
            _head = (_head + 1) & (_pieces.Length - 1);
            _count--;
        }
    }

    private struct Piece
    {
        public byte[] Block;
        public int Offset, Length;
    }
}
