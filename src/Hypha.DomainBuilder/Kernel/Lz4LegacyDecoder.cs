using System.Buffers;
using K4os.Compression.LZ4;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.DomainBuilder.Kernel;

/// <summary>
/// LZ4's legacy frame, which Linux's build makes (lz4 -l): a magic number, then blocks of at most 8 MiB unpacked, each behind its
/// packed size (lz4_Frame_format.md, "Legacy frame"). Nothing marks the end but the end of the input.
/// </summary>
internal sealed class Lz4LegacyDecoder(Stream packed) : ForwardStream
{
    private const uint Magic = 0x184c2102;
    private const int BlockSize = 8 << 20;

    private readonly byte[] _block = ArrayPool<byte>.Shared.Rent(BlockSize);
    private byte[] _packedBlock = [];
    private int _start, _end;
    private bool _started, _done, _disposed;

    public override int Read(Span<byte> buffer)
    {
        while (_start == _end && !_done)
            _done = !NextBlock();
        int n = Math.Min(buffer.Length, _end - _start);
        _block.AsSpan(_start, n).CopyTo(buffer);
        _start += n;
        return n;
    }

    private bool NextBlock()
    {
        Span<byte> word = stackalloc byte[4];
        int got = packed.ReadAtLeast(word, 4, throwOnEndOfStream: false);
        if (got == 0 && _started)
            return false;
        uint size = ReadUInt32LittleEndian(word);
        if (got < 4)
            throw Truncated();
        if (size == Magic)
            return _started = true; // a frame may follow a frame
        if (!_started || size > LZ4Codec.MaximumOutputSize(BlockSize))
            throw new KernelImageException($"the kernel's lz4 payload is corrupt: a block of {size} bytes");

        if (_packedBlock.Length < size)
            _packedBlock = new byte[size];
        Span<byte> block = _packedBlock.AsSpan(0, (int)size);
        if (packed.ReadAtLeast(block, block.Length, throwOnEndOfStream: false) < block.Length)
            throw Truncated();
        int n = LZ4Codec.Decode(block, _block.AsSpan(0, BlockSize));
        if (n < 0)
            throw new KernelImageException("the kernel's lz4 payload is corrupt: a block does not unpack");
        _start = 0;
        _end = n;
        return true;
    }

    private static KernelImageException Truncated() => new("the kernel is truncated: its lz4 payload ends too early");

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
            ArrayPool<byte>.Shared.Return(_block);
        _disposed = true;
        base.Dispose(disposing);
    }

}
