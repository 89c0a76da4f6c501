using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Hypha.Squashfs.Native;

namespace Hypha.Squashfs;

/// <summary>Writes the inodes and the directories of one squashfs.</summary>
internal sealed unsafe class InodeTable(
    SqfsObject inodes, SqfsObject directories, SqfsObject ids, SqfsObject xattrs, Action<int, string> check, Action<string> warn) : IDisposable
{
    private const uint NoXattrs = 0xFFFFFFFF;
    private const int MaxTarget = 65535; // what libsquashfs and the kernel read back

    private readonly SqfsObject _entries = SqfsObject.Own(Sqfs.sqfs_dir_writer_create(directories.Pointer, 0), "directory writer");

    public void Dispose() => _entries.Dispose();

    /// <returns>The root inode's place.</returns>
    internal ulong Write(InodeNumbering numbering, CancellationToken cancellation)
    {
        // Children before their directory, which points at them.
        for (int i = numbering.Directories.Count - 1; i >= 0; i--)
        {
            cancellation.ThrowIfCancellationRequested();
            InodeNumbering.Listing listing = numbering.Directories[i];
            foreach ((_, DirectoryEntry entry) in listing.Entries)
            {
                if (entry.Inode.Place == ulong.MaxValue)
                    WriteInode(entry.Inode);
            }
            WriteDirectory(listing, isRoot: i == 0, numbering.Count);
        }
        return numbering.Directories[0].Directory.Place;
    }

    private void WriteDirectory(InodeNumbering.Listing listing, bool isRoot, uint count)
    {
        check(Sqfs.sqfs_dir_writer_begin(_entries.Pointer, 0), "beginning a directory");
        uint links = 2; // its name and its "."
        Span<byte> name = stackalloc byte[FileName.MaxLength + 1];
        foreach ((FileName entryName, DirectoryEntry entry) in listing.Entries)
        {
            entryName.Bytes.CopyTo(name);
            name[entryName.Bytes.Length] = 0;
            fixed (byte* p = name)
                check(Sqfs.sqfs_dir_writer_add_entry(_entries.Pointer, p, entry.Inode.Number, entry.Inode.Place, TypeBits(entry.Inode)), $"listing {entryName}");
            if (entry.Inode is DirectoryInode)
                links++;
        }
        check(Sqfs.sqfs_dir_writer_end(_entries.Pointer), "ending a directory");

        DirectoryInode directory = listing.Directory;
        // The root's parent is no inode of this file system: one past the last, as mksquashfs has it.
        uint parent = isRoot ? count + 1 : listing.Parent.Number;
        sqfs_inode_generic_t* inode = Sqfs.sqfs_dir_writer_create_inode(_entries.Pointer, links, XattrIndex(directory), parent);
        if (inode == null)
            throw new SquashfsException("writing a directory: out of memory");
        try
        {
            FillCommon(inode, directory);
            Append(inode, directory);
        }
        finally
        {
            Sqfs.sqfs_free((nint)inode);
        }
    }

    private void WriteInode(Inode inode)
    {
        switch (inode)
        {
            case FileInode file:
                WriteFile(file);
                break;
            case SymlinkInode symlink:
                WriteSymlink(symlink);
                break;
            case DeviceInode device:
                {
                    sqfs_inode_generic_t raw = default;
                    raw.type = device.Kind == DeviceKind.Block ? sqfs_inode_type.SQFS_INODE_EXT_BDEV : sqfs_inode_type.SQFS_INODE_EXT_CDEV;
                    (raw.dev_ext_nlink, raw.dev_ext_devno, raw.dev_ext_xattr_idx) = (device.Links, device.Number32, XattrIndex(device));
                    FillCommon(&raw, device);
                    Append(&raw, device);
                    break;
                }
            case PipeInode pipe:
                {
                    sqfs_inode_generic_t raw = default;
                    raw.type = pipe.Kind == PipeKind.Fifo ? sqfs_inode_type.SQFS_INODE_EXT_FIFO : sqfs_inode_type.SQFS_INODE_EXT_SOCKET;
                    (raw.ipc_ext_nlink, raw.ipc_ext_xattr_idx) = (pipe.Links, XattrIndex(pipe));
                    FillCommon(&raw, pipe);
                    Append(&raw, pipe);
                    break;
                }
        }
    }

    private void WriteFile(FileInode file)
    {
        var inode = *(sqfs_inode_generic_t**)file.Slot;
        uint xattr = XattrIndex(file);
        // The basic form has neither; the block processor chose the extended one where the content needs it.
        if (file.Links > 1 || xattr != NoXattrs)
        {
            check(Sqfs.sqfs_inode_make_extended(inode), "writing a file");
            inode->file_ext_nlink = file.Links;
            inode->file_ext_xattr_idx = xattr;
        }
        FillCommon(inode, file);
        Append(inode, file);
    }

    private void WriteSymlink(SymlinkInode symlink)
    {
        if (symlink.Target.Length is 0 or > MaxTarget)
            throw new SquashfsException($"a symbolic link's target has {symlink.Target.Length} bytes");
        int size = sizeof(sqfs_inode_generic_t) + symlink.Target.Length;
        var raw = (sqfs_inode_generic_t*)NativeMemory.AllocZeroed((nuint)size + 1);
        try
        {
            raw->type = sqfs_inode_type.SQFS_INODE_EXT_SLINK;
            raw->payload_bytes_available = raw->payload_bytes_used = (uint)symlink.Target.Length;
            (raw->slink_ext_nlink, raw->slink_ext_target_size, raw->slink_ext_xattr_idx) = (symlink.Links, (uint)symlink.Target.Length, XattrIndex(symlink));
            symlink.Target.CopyTo(new Span<byte>(raw + 1, symlink.Target.Length));
            FillCommon(raw, symlink);
            Append(raw, symlink);
        }
        finally
        {
            NativeMemory.Free(raw);
        }
    }

    private void FillCommon(sqfs_inode_generic_t* raw, Inode inode)
    {
        raw->mode = (ushort)(TypeBits(inode) | (inode.Permissions & 0xFFF));
        raw->mod_time = inode.ModificationTime;
        raw->inode_number = inode.Number;
        check(Sqfs.sqfs_id_table_id_to_index(ids.Pointer, inode.Uid, out raw->uid_idx), "adding an owner (a squashfs holds 65,536 different ones)");
        check(Sqfs.sqfs_id_table_id_to_index(ids.Pointer, inode.Gid, out raw->gid_idx), "adding an owner (a squashfs holds 65,536 different ones)");
    }

    private void Append(sqfs_inode_generic_t* raw, Inode inode)
    {
        Sqfs.sqfs_meta_writer_get_position(inodes.Pointer, out ulong block, out uint offset);
        inode.Place = (block << 16) | offset;
        check(Sqfs.sqfs_meta_writer_write_inode(inodes.Pointer, raw), "writing an inode");
    }

    private uint XattrIndex(Inode inode)
    {
        if (inode.Xattrs.Count == 0)
            return NoXattrs;
        check(Sqfs.sqfs_xattr_writer_begin(xattrs.Pointer, 0), "adding extended attributes");
        int added = 0;
        // In one order, so that the order of the source does not show in the result.
        foreach (Xattr xattr in inode.Xattrs.OrderBy(x => x.Name, Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b))))
        {
            if (!IsStorable(xattr.Name))
            {
                warn($"a squashfs holds no extended attributes {Namespace(xattr.Name)}*; they were left out");
                continue;
            }
            byte[] name = [.. xattr.Name, 0];
            fixed (byte* key = name, value = xattr.Value.Length == 0 ? [0] : xattr.Value)
                check(Sqfs.sqfs_xattr_writer_add(xattrs.Pointer, key, value, (nuint)xattr.Value.Length), "adding an extended attribute");
            added++;
        }
        check(Sqfs.sqfs_xattr_writer_end(xattrs.Pointer, out uint index), "adding extended attributes");
        return added > 0 ? index : NoXattrs;
    }

    // sqfs/xattr.h, SQFS_XATTR_TYPE: the three namespaces that the format numbers.
    private static bool IsStorable(byte[] name) =>
        name.AsSpan().StartsWith("user."u8) || name.AsSpan().StartsWith("trusted."u8) || name.AsSpan().StartsWith("security."u8);

    private static string Namespace(byte[] name)
    {
        int dot = Array.IndexOf(name, (byte)'.');
        string text = Encoding.UTF8.GetString(name, 0, dot + 1);
        return text.Length is > 0 and <= 20 && text.All(c => char.IsAsciiLetter(c) || c == '.') ? text : "without a namespace ";
    }

    // sqfs/inode.h, SQFS_INODE_MODE.
    private static ushort TypeBits(Inode inode) => inode switch
    {
        DirectoryInode => 0x4000,
        FileInode => 0x8000,
        SymlinkInode => 0xA000,
        DeviceInode { Kind: DeviceKind.Character } => 0x2000,
        DeviceInode => 0x6000,
        PipeInode { Kind: PipeKind.Fifo } => 0x1000,
        _ => 0xC000,
    };
}
