using System.Runtime.InteropServices;
using static Hypha.DomainBuilder.Native.LibZstd;

namespace Hypha.DomainBuilder.Kernel;

internal sealed unsafe class ZstdDecoder : DecoderStream
{
    // Linux packs at level 22, whose window is 128 MiB (2^27); libzstd's own limit is the same.
    private const int WindowLogMax = 27;

    private nint _context;

    public ZstdDecoder(Stream packed) : base(packed, "zstd")
    {
        _context = ZSTD_createDCtx();
        if (_context == 0)
            throw new OutOfMemoryException("libzstd cannot start");
        _ = ZSTD_DCtx_setParameter(_context, ZSTD_d_windowLogMax, WindowLogMax);
    }

    protected override bool Step(ReadOnlySpan<byte> input, Span<byte> output, bool inputEnded, out int consumed, out int produced)
    {
        fixed (byte* from = input, to = output)
        {
            ZSTD_inBuffer source = new() { src = from, size = (nuint)input.Length };
            ZSTD_outBuffer target = new() { dst = to, size = (nuint)output.Length };
            nuint result = ZSTD_decompressStream(_context, &target, &source);
            if (ZSTD_isError(result) != 0)
                throw Corrupt(Marshal.PtrToStringUTF8((nint)ZSTD_getErrorName(result)) ?? "unknown error");
            consumed = (int)source.pos;
            produced = (int)target.pos;
            return result != 0; // 0: a frame is complete and flushed
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (_context != 0)
        {
            _ = ZSTD_freeDCtx(_context);
            _context = 0;
        }
        base.Dispose(disposing);
    }
}
