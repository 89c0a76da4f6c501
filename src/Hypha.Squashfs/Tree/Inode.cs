namespace Hypha.Squashfs;

/// <summary>
/// What a name in a tree stands for. A hard link is the same object under another name.
/// </summary>
public abstract class Inode
{
    public uint Uid { get; set; }
    public uint Gid { get; set; }

    /// <summary>The lower twelve bits of st_mode: permissions, set-uid, set-gid, sticky.</summary>
    public ushort Permissions { get; set; }

    /// <summary>Seconds since 1970; squashfs holds 32 bits without sign, up to 2106.</summary>
    public uint ModificationTime { get; set; }

    public IReadOnlyList<Xattr> Xattrs { get; set; } = [];

    // The writer's own: number and place in the table of the squashfs being written, and the names that lead here.
    internal uint Number;
    internal ulong Place;
    internal uint Links;
    internal uint WrittenBy;
}

public sealed class SymlinkInode(byte[] target) : Inode
{
    public byte[] Target { get; } = target;
}

public enum DeviceKind { Character, Block }

/// <summary>A device node. Numbers are Linux's: 12 bits major, 20 bits minor.</summary>
public sealed class DeviceInode(DeviceKind kind, uint major, uint minor) : Inode
{
    public const uint MaxMajor = (1 << 12) - 1;
    public const uint MaxMinor = (1 << 20) - 1;

    public DeviceKind Kind { get; } = kind;
    public uint Major { get; } = major <= MaxMajor ? major : throw new ArgumentOutOfRangeException(nameof(major));
    public uint Minor { get; } = minor <= MaxMinor ? minor : throw new ArgumentOutOfRangeException(nameof(minor));

    /// <summary>As the kernel's new_encode_dev packs it: minor's low byte, major, the rest of minor.</summary>
    internal uint Number32 => (Minor & 0xFF) | (Major << 8) | ((Minor & ~0xFFu) << 12);
}

public enum PipeKind { Fifo, Socket }

public sealed class PipeInode(PipeKind kind) : Inode
{
    public PipeKind Kind { get; } = kind;
}
