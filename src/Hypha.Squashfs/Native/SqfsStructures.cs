using System.Runtime.InteropServices;

namespace Hypha.Squashfs.Native;

/// <summary>sqfs/predef.h and io.h: the object's two functions, then a file's four.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sqfs_file_t
{
    internal delegate* unmanaged<nint, void> destroy;
    internal delegate* unmanaged<nint, nint> copy;
    internal delegate* unmanaged<nint, ulong, byte*, nuint, int> read_at;
    internal delegate* unmanaged<nint, ulong, byte*, nuint, int> write_at;
    internal delegate* unmanaged<nint, ulong> get_size;
    internal delegate* unmanaged<nint, ulong, int> truncate;
}

/// <summary>sqfs/compressor.h, the interface's beginning.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sqfs_compressor_t
{
    internal delegate* unmanaged<nint, void> destroy;
    internal nint copy;
    internal nint get_configuration;
    internal delegate* unmanaged<nint, nint, int> write_options;
}

/// <summary>sqfs/compressor.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct sqfs_compressor_config_t
{
    internal ushort id;
    internal ushort flags;
    internal uint block_size;
    internal uint level;
    internal ulong opt0;
    internal ulong opt1;
}

/// <summary>sqfs/block_processor.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct sqfs_block_processor_desc_t
{
    internal uint size;
    internal uint max_block_size;
    internal uint num_workers;
    internal uint max_backlog;
    internal nint cmp;
    internal nint wr;
    internal nint tbl;
    internal nint file;
    internal nint uncmp;
}

/// <summary>sqfs/super.h: the superblock as it lies on disk.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct sqfs_super_t
{
    internal uint magic;
    internal uint inode_count;
    internal uint modification_time;
    internal uint block_size;
    internal uint fragment_entry_count;
    internal ushort compression_id;
    internal ushort block_log;
    internal ushort flags;
    internal ushort id_count;
    internal ushort version_major;
    internal ushort version_minor;
    internal ulong root_inode_ref;
    internal ulong bytes_used;
    internal ulong id_table_start;
    internal ulong xattr_id_table_start;
    internal ulong inode_table_start;
    internal ulong directory_table_start;
    internal ulong fragment_table_start;
    internal ulong export_table_start;
}

/// <summary>sqfs/inode.h, SQFS_INODE_TYPE.</summary>
internal enum sqfs_inode_type : ushort
{
    SQFS_INODE_FILE = 2,
    SQFS_INODE_EXT_FILE = 9,
    SQFS_INODE_EXT_SLINK = 10,
    SQFS_INODE_EXT_BDEV = 11,
    SQFS_INODE_EXT_CDEV = 12,
    SQFS_INODE_EXT_FIFO = 13,
    SQFS_INODE_EXT_SOCKET = 14,
}

/// <summary>sqfs/inode.h: an inode in memory, its variable part following.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct sqfs_inode_generic_t
{
    // sqfs_inode_t base
    [FieldOffset(0)] internal sqfs_inode_type type;
    [FieldOffset(2)] internal ushort mode;
    [FieldOffset(4)] internal ushort uid_idx;
    [FieldOffset(6)] internal ushort gid_idx;
    [FieldOffset(8)] internal uint mod_time;
    [FieldOffset(12)] internal uint inode_number;

    [FieldOffset(16)] internal uint payload_bytes_available;
    [FieldOffset(20)] internal uint payload_bytes_used;

    // union data
    [FieldOffset(24)] internal uint dev_ext_nlink;
    [FieldOffset(28)] internal uint dev_ext_devno;
    [FieldOffset(32)] internal uint dev_ext_xattr_idx;

    [FieldOffset(24)] internal uint ipc_ext_nlink;
    [FieldOffset(28)] internal uint ipc_ext_xattr_idx;

    [FieldOffset(24)] internal uint slink_ext_nlink;
    [FieldOffset(28)] internal uint slink_ext_target_size;
    [FieldOffset(32)] internal uint slink_ext_xattr_idx;

    [FieldOffset(48)] internal uint file_ext_nlink;
    [FieldOffset(60)] internal uint file_ext_xattr_idx;
}
