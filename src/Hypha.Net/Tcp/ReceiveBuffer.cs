using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>
/// Data from the guest that could not be passed on at once: what the other side does not take yet, and behind it, what came out of order. A
/// connection has one only while there is such data. Blocks are taken where data lies, so a gap costs nothing.
/// </summary>
internal sealed class ReceiveBuffer
{
    private const int BlockBits = 16, BlockMask = (1 << BlockBits) - 1;

    private byte[]?[] _blocks = [];
    private long _start; // of the first byte that is kept, in a count of its own; its block is _start >> BlockBits

    /// <summary>What lies behind a gap.</summary>
    public SequenceRanges Ahead;

    /// <summary>The part of <see cref="Ahead"/> that grew last: the first to be told (RFC 2018 4).</summary>
    public SackBlock Latest;

    /// <summary>Bytes in order, from the first.</summary>
    public int Pending { get; private set; }

    public bool IsEmpty => Pending == 0 && Ahead.Count == 0;

    /// <param name="window">Bytes from the first that is kept to the last, at most.</param>
    public void Begin(int window)
    {
        int blocks = (window >> BlockBits) + 2;
        if (_blocks.Length < blocks)
            _blocks = new byte[]?[blocks];
        _start = 0;
        Pending = 0;
        Ahead.Clear();
        Latest = default;
    }

    /// <summary>Keeps bytes that begin <paramref name="offset"/> after the first byte that is kept.</summary>
    /// <returns>False when there are no blocks: none of it is kept.</returns>
    public bool TryWrite(int offset, ReadOnlySpan<byte> bytes, BlockPool pool)
    {
        long from = _start + offset;
        for (long block = from >> BlockBits; block <= (from + bytes.Length - 1) >> BlockBits; block++)
        {
            ref byte[]? place = ref _blocks[block % _blocks.Length];
            if (place is null && (place = pool.Rent()) is null)
                return false;
        }
        while (bytes.Length > 0)
        {
            int at = (int)(from & BlockMask);
            int length = Math.Min(bytes.Length, BlockMask + 1 - at);
            bytes[..length].CopyTo(_blocks[(from >> BlockBits) % _blocks.Length].AsSpan(at));
            bytes = bytes[length..];
            from += length;
        }
        return true;
    }

    /// <summary>So many bytes behind the pending ones are in order now.</summary>
    public void Extend(int bytes) => Pending += bytes;

    /// <summary>The first bytes in order, as far as their block goes.</summary>
    public ReadOnlySpan<byte> Peek() =>
        _blocks[(_start >> BlockBits) % _blocks.Length].AsSpan((int)(_start & BlockMask), Math.Min(Pending, BlockMask + 1 - (int)(_start & BlockMask)));

    /// <summary>The other side took the first bytes, of one block.</summary>
    public void Take(int bytes, BlockPool pool)
    {
        Pending -= bytes;
        Skip(bytes, pool);
    }

    /// <summary>Bytes before all that is kept went past this buffer; blocks that held nothing but their places are free.</summary>
    public void Skip(int bytes, BlockPool pool)
    {
        long block = _start >> BlockBits;
        _start += bytes;
        for (; block < _start >> BlockBits; block++)
            Drop(block, pool);
    }

    public void Clear(BlockPool pool)
    {
        for (int i = 0; i < _blocks.Length; i++)
            Drop(i, pool);
        Pending = 0;
        Ahead.Clear();
    }

    private void Drop(long block, BlockPool pool)
    {
        ref byte[]? place = ref _blocks[block % _blocks.Length];
        if (place is not null)
            pool.Return(place);
        place = null;
    }
}
