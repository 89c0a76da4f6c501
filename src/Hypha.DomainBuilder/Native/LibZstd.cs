using System.Runtime.InteropServices;

namespace Hypha.DomainBuilder.Native;

/// <summary>libzstd 1, zstd.h. Debian's dpkg depends on it, so that it is always there.</summary>
internal static unsafe partial class LibZstd
{
    private const string Name = "libzstd.so.1";

    internal const int ZSTD_d_windowLogMax = 100;

    [StructLayout(LayoutKind.Sequential)]
    internal struct ZSTD_inBuffer
    {
        public void* src;
        public nuint size, pos;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ZSTD_outBuffer
    {
        public void* dst;
        public nuint size, pos;
    }

    [LibraryImport(Name)]
    internal static partial nint ZSTD_createDCtx();

    [LibraryImport(Name)]
    internal static partial nuint ZSTD_freeDCtx(nint dctx);

    [LibraryImport(Name)]
    internal static partial nuint ZSTD_DCtx_setParameter(nint dctx, int param, int value);

    [LibraryImport(Name)]
    internal static partial nuint ZSTD_decompressStream(nint dctx, ZSTD_outBuffer* output, ZSTD_inBuffer* input);

    [LibraryImport(Name)]
    internal static partial uint ZSTD_isError(nuint code);

    [LibraryImport(Name)]
    internal static partial byte* ZSTD_getErrorName(nuint code);
}
