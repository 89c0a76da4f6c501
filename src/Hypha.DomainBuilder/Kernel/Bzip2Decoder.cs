using System.Runtime.InteropServices;
using static Hypha.DomainBuilder.Native.LibBzip2;

namespace Hypha.DomainBuilder.Kernel;

internal sealed unsafe class Bzip2Decoder : DecoderStream
{
    private bz_stream* _stream;

    public Bzip2Decoder(Stream packed) : base(packed, "bzip2")
    {
        _stream = (bz_stream*)NativeMemory.AllocZeroed((nuint)sizeof(bz_stream));
        int result = BZ2_bzDecompressInit(_stream, 0, 0);
        if (result != BZ_OK)
            throw new OutOfMemoryException($"libbz2 cannot start ({result})");
    }

    protected override bool Step(ReadOnlySpan<byte> input, Span<byte> output, bool inputEnded, out int consumed, out int produced)
    {
        fixed (byte* from = input, to = output)
        {
            _stream->next_in = from;
            _stream->avail_in = (uint)input.Length;
            _stream->next_out = to;
            _stream->avail_out = (uint)output.Length;
            int result = BZ2_bzDecompress(_stream);
            consumed = input.Length - (int)_stream->avail_in;
            produced = output.Length - (int)_stream->avail_out;
            return result switch
            {
                BZ_OK => true,
                BZ_STREAM_END => false,
                _ => throw Corrupt($"libbz2 says {result}"),
            };
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (_stream != null)
        {
            _ = BZ2_bzDecompressEnd(_stream);
            NativeMemory.Free(_stream);
            _stream = null;
        }
        base.Dispose(disposing);
    }
}
