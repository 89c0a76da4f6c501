namespace Hypha.Net.Loop;

/// <summary>
/// Buffers of one size, pinned once and used over and over; no more of them than a limit. When all are out, whoever wants one gets null:
/// the guest whose pool it is waits, others have theirs.
/// </summary>
/// <param name="blockSize">Bytes.</param>
/// <param name="limit">Blocks.</param>
/// <param name="keep">Blocks that are kept for the next use; the rest goes back to the garbage collector.</param>
public sealed class BlockPool(int blockSize, int limit, int keep = int.MaxValue)
{
    private readonly Stack<byte[]> _free = new();

    public int BlockSize => blockSize;

    public int Limit => limit;

    /// <summary>Blocks in use.</summary>
    public int InUse { get; private set; }

    public byte[]? Rent()
    {
        if (InUse >= limit)
            return null;
        InUse++;
        return _free.TryPop(out byte[]? block) ? block : GC.AllocateUninitializedArray<byte>(blockSize, pinned: true);
    }

    public void Return(byte[] block)
    {
        InUse--;
        if (_free.Count < keep)
            _free.Push(block);
    }
}
