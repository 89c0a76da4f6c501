using Hypha.Oci.Tar;
using Hypha.Squashfs;

namespace Hypha.Oci.Layers;

/// <param name="Directory">Where a walk ended.</param>
/// <param name="Depth">Its distance from the root.</param>
internal readonly record struct TreePosition(DirectoryInode Directory, int Depth);

/// <summary>
/// Follows a path of directories in the tree. A symbolic link on the way leads where it leads inside the image: absolute targets
/// begin at its root, and ".." stops there. Nothing of the host is looked at.
/// </summary>
internal sealed class TreeWalk(DirectoryInode root, int layer, int maxDepth, bool create)
{
    private const int MaxLinks = 255; // as containerd's continuity/fs does; the kernel's own limit is 40
    private const int MaxSteps = 4096; // links may hold long ways back and forth

    private readonly List<DirectoryInode> _trail = [root];
    private int _links;
    private int _steps;

    /// <returns>Null when the way ends early and nothing is to be created.</returns>
    internal TreePosition? Walk(List<FileName> path)
    {
        // What is left to walk, next part last; a link's target is put on top of the rest.
        var rest = new Stack<byte[]>();
        for (int i = path.Count - 1; i >= 0; i--)
            rest.Push(path[i].Bytes.ToArray());
        while (rest.TryPop(out byte[]? part))
        {
            if (++_steps > MaxSteps)
                return create ? throw new TarFormatException("the symbolic links on the way lead too far") : null;
            if (part.AsSpan().SequenceEqual(".."u8))
            {
                if (_trail.Count > 1)
                    _trail.RemoveAt(_trail.Count - 1);
            }
            else if (!Step(part, rest))
                return null;
        }
        return new TreePosition(_trail[^1], _trail.Count - 1);
    }

    private bool Step(byte[] part, Stack<byte[]> rest)
    {
        if (!FileName.TryCreate(part, out FileName name))
            return create ? throw new TarFormatException("a symbolic link on the way holds a name that is too long") : false;
        DirectoryInode here = _trail[^1];
        here.TryGet(name, out DirectoryEntry entry);
        switch (entry.Inode)
        {
            case DirectoryInode directory:
                // A directory on the way to this layer's entries is this layer's, too.
                if (create && entry.Origin != layer)
                    here.Set(name, directory, layer);
                _trail.Add(directory);
                return true;
            case SymlinkInode symlink:
                if (++_links > MaxLinks)
                    return create ? throw new TarFormatException("the symbolic links on the way lead in a circle") : false;
                Follow(symlink.Target, rest);
                return true;
            case null when create:
            case not null when create && entry.Origin != layer: // a lower layer's file gives way, as in containerd's overlay
                if (_trail.Count > maxDepth)
                    throw new TarFormatException($"the path is deeper than {maxDepth} levels");
                if (part.AsSpan().StartsWith(".wh."u8))
                    throw new TarFormatException("a name that begins with .wh. cannot be a directory");
                var made = new DirectoryInode { Permissions = 0x1ED }; // 0755, root's, like a mkdir -p
                here.Set(name, made, layer);
                _trail.Add(made);
                return true;
            case not null when create:
                throw new TarFormatException($"{Printable.Quote(part)} on the way is not a directory");
            default:
                return false;
        }
    }

    private void Follow(byte[] target, Stack<byte[]> rest)
    {
        if (target.Length > 0 && target[0] == (byte)'/')
            _trail.RemoveRange(1, _trail.Count - 1);
        var parts = new List<byte[]>();
        foreach (Range range in target.AsSpan().Split((byte)'/'))
        {
            ReadOnlySpan<byte> part = target.AsSpan()[range];
            if (!part.IsEmpty && !part.SequenceEqual("."u8))
                parts.Add(part.ToArray());
        }
        for (int i = parts.Count - 1; i >= 0; i--)
            rest.Push(parts[i]);
    }
}
