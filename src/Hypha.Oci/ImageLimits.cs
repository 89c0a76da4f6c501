namespace Hypha.Oci;

/// <summary>What an image may ask of the host at most. An error names the limit that it met.</summary>
public sealed record ImageLimits
{
    public static ImageLimits Default { get; } = new();

    /// <summary>Manifest, index or configuration, in bytes (registries accept 4 MiB).</summary>
    public int DocumentBytes { get; init; } = 4 << 20;

    /// <summary>Docker's own limit.</summary>
    public int Layers { get; init; } = 127;

    /// <summary>Entries of all layers together.</summary>
    public int Entries { get; init; } = 1 << 20;

    /// <summary>Decompressed bytes of all layers together, holes of sparse files included.</summary>
    public long ExpandedBytes { get; init; } = 64L << 30;

    /// <summary>Of one entry's path or link target, in bytes (PATH_MAX without its NUL).</summary>
    public int PathBytes { get; init; } = 4095;

    /// <summary>Levels of directories.</summary>
    public int Depth { get; init; } = 1024;

    /// <summary>Names and values of one entry's extended attributes, in bytes.</summary>
    public int XattrBytes { get; init; } = 256 << 10;

    /// <summary>Pieces of data in one sparse file.</summary>
    public int SparseExtents { get; init; } = 1 << 16;

    /// <summary>All extension headers (PAX, long names) of one entry, in bytes.</summary>
    public int HeaderBytes { get; init; } = 1 << 20;
}
