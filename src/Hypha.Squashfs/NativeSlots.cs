using System.Runtime.InteropServices;
using Hypha.Squashfs.Native;

namespace Hypha.Squashfs;

/// <summary>
/// Pointers to the inodes that the block processor makes. It writes to them while blocks are in flight, so they stay where they
/// are and outlive it (block_processor.h, sqfs_block_processor_begin_file).
/// </summary>
internal sealed unsafe class NativeSlots : IDisposable
{
    private const int ChunkSize = 4096;

    private readonly List<nint> _chunks = [];
    private int _used = ChunkSize;

    internal nint* Next()
    {
        if (_used == ChunkSize)
        {
            _chunks.Add((nint)NativeMemory.AllocZeroed(ChunkSize, (nuint)sizeof(nint)));
            _used = 0;
        }
        return (nint*)_chunks[^1] + _used++;
    }

    public void Dispose()
    {
        foreach (nint chunk in _chunks)
        {
            for (int i = 0; i < ChunkSize; i++)
                Sqfs.sqfs_free(((nint*)chunk)[i]); // free(NULL) is allowed
            NativeMemory.Free((void*)chunk);
        }
        _chunks.Clear();
        _used = ChunkSize;
    }
}
