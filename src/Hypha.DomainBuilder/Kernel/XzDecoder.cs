using System.Runtime.InteropServices;
using static Hypha.DomainBuilder.Native.LibLzma;

namespace Hypha.DomainBuilder.Kernel;

/// <summary>xz (with the x86 filter that Linux's build puts in front) and the older .lzma format.</summary>
internal sealed unsafe class XzDecoder : DecoderStream
{
    // Linux packs with a dictionary of 32 MiB; a file that asks for more memory than this was not made by it.
    private const ulong MemoryLimit = 256ul << 20;

    private lzma_stream* _stream;

    public XzDecoder(Stream packed, bool alone) : base(packed, alone ? "lzma" : "xz")
    {
        _stream = (lzma_stream*)NativeMemory.AllocZeroed((nuint)sizeof(lzma_stream));
        int result = alone ? lzma_alone_decoder(_stream, MemoryLimit) : lzma_stream_decoder(_stream, MemoryLimit, 0);
        if (result != LZMA_OK)
            throw new OutOfMemoryException($"liblzma cannot start ({result})");
    }

    protected override bool Step(ReadOnlySpan<byte> input, Span<byte> output, bool inputEnded, out int consumed, out int produced)
    {
        fixed (byte* from = input, to = output)
        {
            _stream->next_in = from;
            _stream->avail_in = (nuint)input.Length;
            _stream->next_out = to;
            _stream->avail_out = (nuint)output.Length;
            int result = lzma_code(_stream, inputEnded ? LZMA_FINISH : LZMA_RUN);
            consumed = input.Length - (int)_stream->avail_in;
            produced = output.Length - (int)_stream->avail_out;
            return result switch
            {
                LZMA_OK or LZMA_BUF_ERROR => true,
                LZMA_STREAM_END => false,
                LZMA_MEMLIMIT_ERROR => throw Corrupt($"it wants more than {MemoryLimit >> 20} MiB to unpack"),
                _ => throw Corrupt($"liblzma says {result}"),
            };
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (_stream != null)
        {
            lzma_end(_stream);
            NativeMemory.Free(_stream);
            _stream = null;
        }
        base.Dispose(disposing);
    }
}
