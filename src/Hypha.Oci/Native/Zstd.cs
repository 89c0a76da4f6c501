using System.Runtime.InteropServices;

namespace Hypha.Oci.Native;

/// <summary>libzstd 1.x, zstd.h (linked dynamically).</summary>
internal static partial class Zstd
{
    private const string Name = "libzstd.so.1";

    internal const int ZSTD_d_windowLogMax = 100;

    [StructLayout(LayoutKind.Sequential)]
    internal struct ZSTD_inBuffer
    {
        internal nint src;
        internal nuint size;
        internal nuint pos;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ZSTD_outBuffer
    {
        internal nint dst;
        internal nuint size;
        internal nuint pos;
    }

    [LibraryImport(Name)] internal static partial nint ZSTD_createDStream();
    [LibraryImport(Name)] internal static partial nuint ZSTD_freeDStream(nint stream);
    [LibraryImport(Name)] internal static partial nuint ZSTD_DCtx_setParameter(nint stream, int parameter, int value);
    [LibraryImport(Name)] internal static partial nuint ZSTD_decompressStream(nint stream, ref ZSTD_outBuffer output, ref ZSTD_inBuffer input);
    [LibraryImport(Name)] internal static partial uint ZSTD_isError(nuint code);
    [LibraryImport(Name)] internal static partial nint ZSTD_getErrorName(nuint code);
}
