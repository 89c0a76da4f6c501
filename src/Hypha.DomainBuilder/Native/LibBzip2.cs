using System.Runtime.InteropServices;

namespace Hypha.DomainBuilder.Native;

/// <summary>libbz2 1.0, bzlib.h. Debian's dpkg depends on it, so that it is always there.</summary>
internal static unsafe partial class LibBzip2
{
    private const string Name = "libbz2.so.1.0";

    internal const int BZ_OK = 0;
    internal const int BZ_STREAM_END = 4;

    [StructLayout(LayoutKind.Sequential)]
    internal struct bz_stream
    {
        public byte* next_in;
        public uint avail_in, total_in_lo32, total_in_hi32;
        public byte* next_out;
        public uint avail_out, total_out_lo32, total_out_hi32;
        public void* state, bzalloc, bzfree, opaque;
    }

    [LibraryImport(Name)]
    internal static partial int BZ2_bzDecompressInit(bz_stream* strm, int verbosity, int small);

    [LibraryImport(Name)]
    internal static partial int BZ2_bzDecompress(bz_stream* strm);

    [LibraryImport(Name)]
    internal static partial int BZ2_bzDecompressEnd(bz_stream* strm);
}
