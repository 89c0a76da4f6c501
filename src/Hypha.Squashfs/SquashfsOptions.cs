namespace Hypha.Squashfs;

/// <summary>How a squashfs is written. The same tree and options give the same bytes, whatever the number of workers.</summary>
public sealed record SquashfsOptions
{
    /// <summary>zstd's, 1 to 22.</summary>
    public int CompressionLevel { get; init; } = 3;

    /// <summary>A power of two from 4 KiB to 1 MiB.</summary>
    public int BlockSize { get; init; } = 128 * 1024;

    /// <summary>Threads that compress; 0 means one a core.</summary>
    public int Workers { get; init; }
}
