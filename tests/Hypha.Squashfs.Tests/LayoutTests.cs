using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hypha.Squashfs.Native;

namespace Hypha.Squashfs.Tests;

/// <summary>Structures and constants against libsquashfs-dev's headers, by a C program.</summary>
public sealed class LayoutTests
{
    [Fact]
    public void Structures_and_constants_are_those_of_the_headers()
    {
        var ours = new Dictionary<string, long>
        {
            ["sizeof(sqfs_file_t)"] = Unsafe.SizeOf<sqfs_file_t>(),
            ["offsetof(sqfs_file_t, get_size)"] = Offset<sqfs_file_t>("get_size"),
            ["offsetof(sqfs_compressor_t, write_options)"] = Offset<sqfs_compressor_t>("write_options"),
            ["sizeof(sqfs_compressor_config_t)"] = Unsafe.SizeOf<sqfs_compressor_config_t>(),
            ["offsetof(sqfs_compressor_config_t, level)"] = Offset<sqfs_compressor_config_t>("level"),
            ["sizeof(sqfs_block_processor_desc_t)"] = Unsafe.SizeOf<sqfs_block_processor_desc_t>(),
            ["offsetof(sqfs_block_processor_desc_t, max_backlog)"] = Offset<sqfs_block_processor_desc_t>("max_backlog"),
            ["offsetof(sqfs_block_processor_desc_t, uncmp)"] = Offset<sqfs_block_processor_desc_t>("uncmp"),
            ["sizeof(sqfs_super_t)"] = Unsafe.SizeOf<sqfs_super_t>(),
            ["offsetof(sqfs_super_t, flags)"] = Offset<sqfs_super_t>("flags"),
            ["offsetof(sqfs_super_t, root_inode_ref)"] = Offset<sqfs_super_t>("root_inode_ref"),
            ["offsetof(sqfs_super_t, export_table_start)"] = Offset<sqfs_super_t>("export_table_start"),
            ["sizeof(sqfs_inode_generic_t)"] = Unsafe.SizeOf<sqfs_inode_generic_t>(),
            ["offsetof(sqfs_inode_generic_t, base.inode_number)"] = Offset<sqfs_inode_generic_t>("inode_number"),
            ["offsetof(sqfs_inode_generic_t, payload_bytes_used)"] = Offset<sqfs_inode_generic_t>("payload_bytes_used"),
            ["offsetof(sqfs_inode_generic_t, data.dev_ext.xattr_idx)"] = Offset<sqfs_inode_generic_t>("dev_ext_xattr_idx"),
            ["offsetof(sqfs_inode_generic_t, data.ipc_ext.xattr_idx)"] = Offset<sqfs_inode_generic_t>("ipc_ext_xattr_idx"),
            ["offsetof(sqfs_inode_generic_t, data.slink_ext.target_size)"] = Offset<sqfs_inode_generic_t>("slink_ext_target_size"),
            ["offsetof(sqfs_inode_generic_t, data.slink_ext.xattr_idx)"] = Offset<sqfs_inode_generic_t>("slink_ext_xattr_idx"),
            ["offsetof(sqfs_inode_generic_t, data.file_ext.nlink)"] = Offset<sqfs_inode_generic_t>("file_ext_nlink"),
            ["offsetof(sqfs_inode_generic_t, data.file_ext.xattr_idx)"] = Offset<sqfs_inode_generic_t>("file_ext_xattr_idx"),
            ["offsetof(sqfs_inode_generic_t, extra)"] = Unsafe.SizeOf<sqfs_inode_generic_t>(),
            ["SQFS_COMP_ZSTD"] = Sqfs.SQFS_COMP_ZSTD,
            ["SQFS_COMP_FLAG_UNCOMPRESS"] = Sqfs.SQFS_COMP_FLAG_UNCOMPRESS,
            ["SQFS_FLAG_NO_FRAGMENTS"] = Sqfs.SQFS_FLAG_NO_FRAGMENTS,
            ["SQFS_FLAG_ALWAYS_FRAGMENTS"] = Sqfs.SQFS_FLAG_ALWAYS_FRAGMENTS,
            ["SQFS_FLAG_NO_XATTRS"] = Sqfs.SQFS_FLAG_NO_XATTRS,
            ["SQFS_FLAG_COMPRESSOR_OPTIONS"] = Sqfs.SQFS_FLAG_COMPRESSOR_OPTIONS,
            ["SQFS_META_WRITER_KEEP_IN_MEMORY"] = Sqfs.SQFS_META_WRITER_KEEP_IN_MEMORY,
            ["SQFS_INODE_FILE"] = (long)sqfs_inode_type.SQFS_INODE_FILE,
            ["SQFS_INODE_EXT_FILE"] = (long)sqfs_inode_type.SQFS_INODE_EXT_FILE,
            ["SQFS_INODE_EXT_SLINK"] = (long)sqfs_inode_type.SQFS_INODE_EXT_SLINK,
            ["SQFS_INODE_EXT_BDEV"] = (long)sqfs_inode_type.SQFS_INODE_EXT_BDEV,
            ["SQFS_INODE_EXT_CDEV"] = (long)sqfs_inode_type.SQFS_INODE_EXT_CDEV,
            ["SQFS_INODE_EXT_FIFO"] = (long)sqfs_inode_type.SQFS_INODE_EXT_FIFO,
            ["SQFS_INODE_EXT_SOCKET"] = (long)sqfs_inode_type.SQFS_INODE_EXT_SOCKET,
        };
        Assert.Equal(Headers([.. ours.Keys]), ours);
    }

    private static long Offset<T>(string field) => (long)Marshal.OffsetOf<T>(field);

    private static Dictionary<string, long> Headers(string[] expressions)
    {
        string directory = Directory.CreateTempSubdirectory("hypha-layout-").FullName;
        try
        {
            string source = Path.Combine(directory, "layout.c"), program = Path.Combine(directory, "layout");
            string[] headers = ["super", "io", "compressor", "block_processor", "meta_writer", "inode"];
            File.WriteAllText(source, $$"""
                #include <stdio.h>
                {{string.Join('\n', headers.Select(h => $"#include <sqfs/{h}.h>"))}}
                int main(void) { {{string.Join('\n', expressions.Select(e => $"printf(\"%lld\\n\", (long long)({e}));"))}} return 0; }
                """);
            using (var compiler = Process.Start("gcc", ["-o", program, source]))
            {
                compiler.WaitForExit();
                Assert.Equal(0, compiler.ExitCode);
            }
            using var run = Process.Start(new ProcessStartInfo(program) { RedirectStandardOutput = true })!;
            long[] values = [.. run.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse)];
            return expressions.Zip(values).ToDictionary();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
