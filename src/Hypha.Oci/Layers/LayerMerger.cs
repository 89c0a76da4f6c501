using Hypha.Oci.Tar;
using Hypha.Squashfs;

namespace Hypha.Oci.Layers;

/// <summary>
/// Applies layers, lowest first, to one tree in memory (OCI image-spec, layer.md, "Applying Changesets"). A name's origin in the
/// tree is the layer that last touched it: a whiteout hides what lower layers brought and never what its own layer brings,
/// wherever in the archive it stands.
/// </summary>
internal sealed class LayerMerger(ImageLimits limits)
{
    private static ReadOnlySpan<byte> WhiteoutPrefix => ".wh."u8;
    private static ReadOnlySpan<byte> AufsPrefix => ".wh..wh."u8; // opaque marker and aufs' own files
    private static ReadOnlySpan<byte> OpaqueMarker => ".wh..wh..opq"u8;

    private int _layer;

    internal FileTree Tree { get; } = new();

    /// <exception cref="ImageException">Names layer and entry.</exception>
    internal void Apply(Layer layer)
    {
        _layer++;
        foreach (LayerEntry entry in layer.Entries)
        {
            try
            {
                Apply(entry);
            }
            catch (TarFormatException e)
            {
                throw new ImageException(
                    $"{layer.Name}, entry {Printable.Quote(entry.Header.Path)}: {e.Message}. The image is refused; nothing was kept. Check where it comes from.", e);
            }
        }
    }

    private void Apply(LayerEntry entry)
    {
        List<FileName> path = LayerPath.Parse(entry.Header.Path, limits.Depth);
        if (path.Count == 0)
        {
            if (entry.Header.Kind != TarEntryKind.Directory)
                throw new TarFormatException("the image's root must be a directory");
            SetAttributes(Tree.Root, entry.Header);
            return;
        }

        FileName name = path[^1];
        ReadOnlySpan<byte> bytes = name.Bytes;
        path.RemoveAt(path.Count - 1);
        foreach (FileName parent in path)
        {
            if (parent.Bytes.StartsWith(AufsPrefix))
                return;
            if (parent.Bytes.StartsWith(WhiteoutPrefix))
                throw new TarFormatException("a name that begins with .wh. cannot be a directory");
        }

        if (bytes.SequenceEqual(OpaqueMarker))
        {
            if (FindDirectory(path) is { } opaque)
                HideLower(opaque);
        }
        else if (bytes.StartsWith(AufsPrefix))
        {
            // aufs' own bookkeeping, from docker's early days; every unpacker drops it.
        }
        else if (bytes.StartsWith(WhiteoutPrefix))
        {
            if (!FileName.TryCreate(bytes[WhiteoutPrefix.Length..], out FileName hidden))
                throw new TarFormatException("the whiteout names nothing in its directory");
            if (FindDirectory(path) is { } directory)
                HideLower(directory, hidden);
        }
        else
            Put(MakeDirectory(path), name, entry);
    }

    private void Put(TreePosition parent, FileName name, LayerEntry entry)
    {
        if (parent.Depth >= limits.Depth)
            throw new TarFormatException($"the path is deeper than {limits.Depth} levels");
        TarEntry header = entry.Header;
        // A directory over a directory keeps what is in it; everything else takes the place of what was there.
        if (header.Kind == TarEntryKind.Directory && parent.Directory.TryGet(name, out DirectoryInode? existing))
        {
            SetAttributes(existing, header);
            parent.Directory.Set(name, existing, _layer);
            return;
        }
        if (header.Kind == TarEntryKind.HardLink)
        {
            parent.Directory.Set(name, FindLinked(header.LinkTarget, parent.Directory, name), _layer);
            return; // the attributes are the inode's; a link's header need not repeat them
        }
        Inode inode = header.Kind switch
        {
            TarEntryKind.Directory => new DirectoryInode(),
            TarEntryKind.Symlink => new SymlinkInode(header.LinkTarget),
            TarEntryKind.CharacterDevice => new DeviceInode(DeviceKind.Character, header.DeviceMajor, header.DeviceMinor),
            TarEntryKind.BlockDevice => new DeviceInode(DeviceKind.Block, header.DeviceMajor, header.DeviceMinor),
            TarEntryKind.Fifo => new PipeInode(PipeKind.Fifo),
            _ => new FileInode(entry.Content!),
        };
        SetAttributes(inode, header);
        parent.Directory.Set(name, inode, _layer);
    }

    private Inode FindLinked(byte[] target, DirectoryInode parent, FileName name)
    {
        List<FileName> path;
        try
        {
            path = LayerPath.Parse(target, limits.Depth);
        }
        catch (TarFormatException e)
        {
            throw new TarFormatException($"the hard link's target {Printable.Quote(target)}: {e.Message}");
        }
        if (path.Count == 0)
            throw new TarFormatException("the hard link's target is the image's root");
        FileName last = path[^1];
        path.RemoveAt(path.Count - 1);
        if (FindDirectory(path) is not { } directory || !directory.TryGet(last, out DirectoryEntry found))
            throw new TarFormatException($"the hard link's target {Printable.Quote(target)} does not exist");
        if (ReferenceEquals(directory, parent) && last == name)
            throw new TarFormatException("the hard link is a link to itself");
        return found.Inode is DirectoryInode
            ? throw new TarFormatException($"the hard link's target {Printable.Quote(target)} is a directory")
            : found.Inode;
    }

    /// <summary>Where the path leads, links followed within the root; directories that lack are made.</summary>
    private TreePosition MakeDirectory(List<FileName> path) =>
        new TreeWalk(Tree.Root, _layer, limits.Depth, create: true).Walk(path)!.Value;

    private DirectoryInode? FindDirectory(List<FileName> path) =>
        new TreeWalk(Tree.Root, _layer, limits.Depth, create: false).Walk(path)?.Directory;

    private void HideLower(DirectoryInode directory)
    {
        foreach (FileName name in directory.Entries.Select(e => e.Key).ToArray())
            HideLower(directory, name);
    }

    // Names that this layer touched stay, and so do the directories on the way to them.
    private void HideLower(DirectoryInode directory, FileName name)
    {
        if (!directory.TryGet(name, out DirectoryEntry entry))
            return;
        if (entry.Origin != _layer)
            directory.Remove(name);
        else if (entry.Inode is DirectoryInode child)
            HideLower(child); // depth is limited
    }

    private static void SetAttributes(Inode inode, TarEntry header)
    {
        inode.Uid = header.Uid;
        inode.Gid = header.Gid;
        inode.Permissions = header.Kind == TarEntryKind.Symlink ? (ushort)0x1FF : header.Permissions; // a link's are always 0777
        inode.ModificationTime = header.ModificationTime;
        inode.Xattrs = header.Xattrs;
    }
}
