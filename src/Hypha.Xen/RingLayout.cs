using Hypha.Linux;

namespace Hypha.Xen;

/// <summary>Where a ring of bytes and its two indices lie in shared memory. The size is a power of two.</summary>
/// <param name="Indices">The page that holds the indices.</param>
/// <param name="ConsumerOffset">Where in it the consumer's index is: 32 bits, running, masked only when used.</param>
/// <param name="ProducerOffset">Where in it the producer's index is.</param>
/// <param name="Data">The memory that holds the bytes, perhaps the same page.</param>
/// <param name="DataOffset">Where in it they start.</param>
/// <param name="Size">How many bytes the ring holds.</param>
public readonly record struct RingLayout(
    MemoryMapping Indices, int ConsumerOffset, int ProducerOffset, MemoryMapping Data, int DataOffset, int Size)
{
    internal void Check()
    {
        if (!int.IsPow2(Size) || (uint)DataOffset + (uint)Size > (uint)Data.Length
            || (ConsumerOffset & 3) != 0 || (ProducerOffset & 3) != 0
            || (uint)ConsumerOffset > (uint)Indices.Length - 4 || (uint)ProducerOffset > (uint)Indices.Length - 4)
            throw new ArgumentException("the ring does not lie within its memory");
    }
}
