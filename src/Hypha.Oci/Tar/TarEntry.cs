using Hypha.Squashfs;

namespace Hypha.Oci.Tar;

internal enum TarEntryKind
{
    File,
    HardLink,
    Symlink,
    CharacterDevice,
    BlockDevice,
    Directory,
    Fifo,
}

/// <summary>One member of an archive, all of its headers taken together.</summary>
internal sealed class TarEntry
{
    /// <summary>As written, any bytes but NUL.</summary>
    internal required byte[] Path { get; init; }

    internal required TarEntryKind Kind { get; init; }

    /// <summary>Of hard links (a path in the image) and symbolic links (any text).</summary>
    internal byte[] LinkTarget { get; init; } = [];

    internal uint Uid { get; init; }
    internal uint Gid { get; init; }
    internal ushort Permissions { get; init; }
    internal uint ModificationTime { get; init; }
    internal uint DeviceMajor { get; init; }
    internal uint DeviceMinor { get; init; }

    /// <summary>Of the file, holes included.</summary>
    internal long Length { get; init; }

    /// <summary>Where the stored bytes belong in a sparse file; null when they are the file.</summary>
    internal SparseMap? Sparse { get; init; }

    internal IReadOnlyList<Xattr> Xattrs { get; init; } = [];
}
