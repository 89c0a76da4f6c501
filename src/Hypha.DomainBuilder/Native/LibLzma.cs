using System.Runtime.InteropServices;

namespace Hypha.DomainBuilder.Native;

/// <summary>liblzma 5, lzma/base.h and lzma/container.h. Debian's dpkg depends on it, so that it is always there.</summary>
internal static unsafe partial class LibLzma
{
    private const string Name = "liblzma.so.5";

    internal const int LZMA_OK = 0;
    internal const int LZMA_STREAM_END = 1;
    internal const int LZMA_MEMLIMIT_ERROR = 6;
    internal const int LZMA_BUF_ERROR = 10;
    internal const int LZMA_RUN = 0;
    internal const int LZMA_FINISH = 3;

    [StructLayout(LayoutKind.Sequential)]
    internal struct lzma_stream
    {
        public byte* next_in;
        public nuint avail_in;
        public ulong total_in;
        public byte* next_out;
        public nuint avail_out;
        public ulong total_out;
        public void* allocator;
        public void* @internal;
        public void* reserved_ptr1, reserved_ptr2, reserved_ptr3, reserved_ptr4;
        public ulong seek_pos, reserved_int2;
        public nuint reserved_int3, reserved_int4;
        public int reserved_enum1, reserved_enum2;
    }

    [LibraryImport(Name)]
    internal static partial int lzma_stream_decoder(lzma_stream* strm, ulong memlimit, uint flags);

    [LibraryImport(Name)]
    internal static partial int lzma_alone_decoder(lzma_stream* strm, ulong memlimit);

    [LibraryImport(Name)]
    internal static partial int lzma_code(lzma_stream* strm, int action);

    [LibraryImport(Name)]
    internal static partial void lzma_end(lzma_stream* strm);
}
