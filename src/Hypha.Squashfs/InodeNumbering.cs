namespace Hypha.Squashfs;

/// <summary>
/// The order of a tree in a squashfs: directories before their children's, names by byte, numbers from 1 as the names are met.
/// So the same tree always gives the same bytes, and the numbers within a directory are close, as its entries want them.
/// </summary>
internal sealed class InodeNumbering
{
    private static uint s_writings;
    private readonly uint _writing = Interlocked.Increment(ref s_writings);

    internal InodeNumbering(FileTree tree)
    {
        Meet(tree.Root);
        Directories.Add(new Listing(tree.Root, tree.Root, []));
        for (int i = 0; i < Directories.Count; i++)
        {
            Listing listing = Directories[i];
            KeyValuePair<FileName, DirectoryEntry>[] entries = listing.Directory.Sorted();
            Directories[i] = listing with { Entries = entries };
            foreach ((_, DirectoryEntry entry) in entries)
            {
                bool first = Meet(entry.Inode);
                if (entry.Inode is DirectoryInode child)
                {
                    if (!first)
                        throw new SquashfsException("a directory has two names");
                    Directories.Add(new Listing(child, listing.Directory, []));
                }
                else if (first && entry.Inode is FileInode file)
                    Files.Add(file);
            }
        }
    }

    internal readonly record struct Listing(DirectoryInode Directory, DirectoryInode Parent, KeyValuePair<FileName, DirectoryEntry>[] Entries);

    internal List<Listing> Directories { get; } = [];
    internal List<FileInode> Files { get; } = [];
    internal uint Count { get; private set; }

    private bool Meet(Inode inode)
    {
        if (inode.WrittenBy == _writing)
        {
            inode.Links++;
            return false;
        }
        (inode.WrittenBy, inode.Number, inode.Links, inode.Place) = (_writing, ++Count, 1, ulong.MaxValue);
        return true;
    }
}
