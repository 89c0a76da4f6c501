using System.Runtime.InteropServices;
using Hypha.Oci.Native;

namespace Hypha.Oci.Compression;

/// <summary>Decompresses zstd frames one after the other; skippable ones (zstd:chunked's table of contents) give nothing. RFC 8878.</summary>
internal sealed unsafe class ZstdStream : ReadOnlyStream
{
    // RFC 8878 3.1.1.1.2 recommends 8 MiB at least; level 22 uses 128 MiB, zstd's own limit unless asked for more.
    private const int MaxWindowLog = 27;

    private sealed class Context : SafeHandle
    {
        internal Context() : base(0, ownsHandle: true)
        {
            SetHandle(Zstd.ZSTD_createDStream());
            if (IsInvalid)
                throw new OutOfMemoryException("creating a zstd stream");
        }

        internal nint Pointer => handle;
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            Zstd.ZSTD_freeDStream(handle);
            return true;
        }
    }

    private readonly Stream _source;
    private readonly Context _context = new();
    private readonly byte[] _input = GC.AllocateUninitializedArray<byte>(128 << 10);
    private int _start, _end;
    private bool _inFrame;

    internal ZstdStream(Stream source)
    {
        _source = source;
        Check(Zstd.ZSTD_DCtx_setParameter(_context.Pointer, Zstd.ZSTD_d_windowLogMax, MaxWindowLog));
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
            return 0;
        while (true)
        {
            bool atEnd = false;
            if (_start == _end)
            {
                (_start, _end) = (0, _source.Read(_input));
                atEnd = _end == 0;
                if (atEnd && !_inFrame)
                    return 0;
            }
            int written = Decompress(buffer, out bool consumed);
            if (written > 0)
                return written;
            if (atEnd && !consumed)
                throw new InvalidDataException("the zstd data is cut off");
        }
    }

    private int Decompress(Span<byte> buffer, out bool consumed)
    {
        fixed (byte* source = _input, target = buffer)
        {
            var input = new Zstd.ZSTD_inBuffer { src = (nint)source, size = (nuint)_end, pos = (nuint)_start };
            var output = new Zstd.ZSTD_outBuffer { dst = (nint)target, size = (nuint)buffer.Length };
            nuint result = Zstd.ZSTD_decompressStream(_context.Pointer, ref output, ref input);
            Check(result);
            // zstd.h: 0 when a frame is completely decoded and flushed.
            _inFrame = result != 0;
            consumed = (int)input.pos > _start;
            _start = (int)input.pos;
            return (int)output.pos;
        }
    }

    private static void Check(nuint result)
    {
        if (Zstd.ZSTD_isError(result) != 0)
            throw new InvalidDataException($"the zstd data is damaged ({Marshal.PtrToStringUTF8(Zstd.ZSTD_getErrorName(result))})");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _context.Dispose();
        base.Dispose(disposing);
    }
}
