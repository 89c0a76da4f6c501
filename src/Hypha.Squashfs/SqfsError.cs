using System.Globalization;

namespace Hypha.Squashfs;

/// <summary>sqfs/error.h, SQFS_ERROR, in words.</summary>
internal static class SqfsError
{
    internal static string Text(int error) => error switch
    {
        -1 => "out of memory",
        -2 => "reading or writing the file failed",
        -3 => "the compressor failed",
        -4 => "libsquashfs failed within",
        -6 => "not supported by this libsquashfs",
        -7 => "a number is too large for a squashfs",
        -11 => "the block size must be a power of two from 4 KiB to 1 MiB",
        -16 => "an argument is out of range",
        _ => string.Create(CultureInfo.InvariantCulture, $"libsquashfs says {error}"),
    };
}
