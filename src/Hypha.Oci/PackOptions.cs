namespace Hypha.Oci;

/// <summary>How an image becomes a squashfs.</summary>
public sealed record PackOptions
{
    public static PackOptions Default { get; } = new();

    /// <summary>zstd's, 1 to 22.</summary>
    public int CompressionLevel { get; init; } = 3;

    /// <summary>Of the squashfs, in bytes: a power of two from 4 KiB to 1 MiB.</summary>
    public int BlockSize { get; init; } = 128 * 1024;

    /// <summary>Threads that compress; 0 means one a core.</summary>
    public int Workers { get; init; }

    public ImageLimits Limits { get; init; } = ImageLimits.Default;
}
