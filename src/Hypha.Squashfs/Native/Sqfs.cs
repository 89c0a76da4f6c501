using System.Runtime.InteropServices;

namespace Hypha.Squashfs.Native;

/// <summary>libsquashfs 1.x, headers sqfs/*.h of squashfs-tools-ng (linked dynamically).</summary>
internal static partial class Sqfs
{
    private const string Name = "libsquashfs.so.1";

    // sqfs/super.h
    internal const int SQFS_COMP_ZSTD = 6;
    internal const ushort SQFS_FLAG_NO_FRAGMENTS = 0x0010;
    internal const ushort SQFS_FLAG_ALWAYS_FRAGMENTS = 0x0020;
    internal const ushort SQFS_FLAG_NO_XATTRS = 0x0200;
    internal const ushort SQFS_FLAG_COMPRESSOR_OPTIONS = 0x0400;

    // sqfs/compressor.h
    internal const ushort SQFS_COMP_FLAG_UNCOMPRESS = 0x8000;

    // sqfs/meta_writer.h
    internal const uint SQFS_META_WRITER_KEEP_IN_MEMORY = 1;

    [LibraryImport(Name)] internal static partial void sqfs_free(nint pointer);

    [LibraryImport(Name)] internal static unsafe partial int sqfs_super_init(sqfs_super_t* super, nuint blockSize, uint mtime, int compressor);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_super_write(sqfs_super_t* super, nint file);

    [LibraryImport(Name)] internal static unsafe partial int sqfs_compressor_config_init(sqfs_compressor_config_t* config, int id, nuint blockSize, ushort flags);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_compressor_create(sqfs_compressor_config_t* config, out nint compressor);

    [LibraryImport(Name)] internal static partial nint sqfs_block_writer_create(nint file, nuint deviceBlockSize, uint flags);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_block_processor_create_ex(sqfs_block_processor_desc_t* description, out nint processor);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_block_processor_begin_file(nint processor, nint* inode, nint user, uint flags);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_block_processor_append(nint processor, byte* data, nuint size);
    [LibraryImport(Name)] internal static partial int sqfs_block_processor_end_file(nint processor);
    [LibraryImport(Name)] internal static partial int sqfs_block_processor_finish(nint processor);

    [LibraryImport(Name)] internal static partial nint sqfs_frag_table_create(uint flags);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_frag_table_write(nint table, nint file, sqfs_super_t* super, nint compressor);
    [LibraryImport(Name)] internal static partial nuint sqfs_frag_table_get_size(nint table);

    [LibraryImport(Name)] internal static partial nint sqfs_id_table_create(uint flags);
    [LibraryImport(Name)] internal static partial int sqfs_id_table_id_to_index(nint table, uint id, out ushort index);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_id_table_write(nint table, nint file, sqfs_super_t* super, nint compressor);

    [LibraryImport(Name)] internal static partial nint sqfs_meta_writer_create(nint file, nint compressor, uint flags);
    [LibraryImport(Name)] internal static partial int sqfs_meta_writer_flush(nint writer);
    [LibraryImport(Name)] internal static partial void sqfs_meta_writer_get_position(nint writer, out ulong blockStart, out uint offset);
    [LibraryImport(Name)] internal static partial int sqfs_meta_write_write_to_file(nint writer);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_meta_writer_write_inode(nint writer, sqfs_inode_generic_t* inode);

    [LibraryImport(Name)] internal static partial nint sqfs_dir_writer_create(nint metaWriter, uint flags);
    [LibraryImport(Name)] internal static partial int sqfs_dir_writer_begin(nint writer, uint flags);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_dir_writer_add_entry(nint writer, byte* name, uint inodeNumber, ulong inodeReference, ushort mode);
    [LibraryImport(Name)] internal static partial int sqfs_dir_writer_end(nint writer);
    [LibraryImport(Name)] internal static unsafe partial sqfs_inode_generic_t* sqfs_dir_writer_create_inode(nint writer, nuint hardLinks, uint xattr, uint parentInode);

    [LibraryImport(Name)] internal static unsafe partial int sqfs_inode_make_extended(sqfs_inode_generic_t* inode);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_inode_set_xattr_index(sqfs_inode_generic_t* inode, uint index);

    [LibraryImport(Name)] internal static partial nint sqfs_xattr_writer_create(uint flags);
    [LibraryImport(Name)] internal static partial int sqfs_xattr_writer_begin(nint writer, uint flags);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_xattr_writer_add(nint writer, byte* key, byte* value, nuint size);
    [LibraryImport(Name)] internal static partial int sqfs_xattr_writer_end(nint writer, out uint index);
    [LibraryImport(Name)] internal static unsafe partial int sqfs_xattr_writer_flush(nint writer, nint file, sqfs_super_t* super, nint compressor);
}
