namespace Hypha.DomainBuilder.Kernel;

/// <summary>How a kernel is packed, told by its first bytes.</summary>
public enum PayloadFormat
{
    Unknown,
    Elf,
    Gzip,
    Bzip2,
    Lzma,
    Xz,
    Lzo,
    Lz4,
    Zstd,
}

internal static class PayloadFormats
{
    /// <summary>Magic numbers of the formats that Linux's build can pack itself with (Documentation/x86/boot.rst, payload_offset).</summary>
    public static PayloadFormat Detect(ReadOnlySpan<byte> head) => head switch
    {
        [0x7f, (byte)'E', (byte)'L', (byte)'F', ..] => PayloadFormat.Elf,
        [0x1f, 0x8b or 0x9e, ..] => PayloadFormat.Gzip,
        [(byte)'B', (byte)'Z', (byte)'h', ..] => PayloadFormat.Bzip2,
        [0x5d, 0x00, 0x00, ..] => PayloadFormat.Lzma,
        [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => PayloadFormat.Xz,
        [0x89, (byte)'L', (byte)'Z', (byte)'O', ..] => PayloadFormat.Lzo,
        [0x02, 0x21, 0x4c, 0x18, ..] => PayloadFormat.Lz4,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => PayloadFormat.Zstd,
        _ => PayloadFormat.Unknown,
    };
}
