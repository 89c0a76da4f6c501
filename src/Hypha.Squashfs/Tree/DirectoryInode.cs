using System.Diagnostics.CodeAnalysis;

namespace Hypha.Squashfs;

/// <summary>A directory: names and what they stand for.</summary>
public sealed class DirectoryInode : Inode
{
    private Dictionary<FileName, DirectoryEntry>? _entries; // most directories of a tree under construction are never looked into

    public int Count => _entries?.Count ?? 0;

    public IEnumerable<KeyValuePair<FileName, DirectoryEntry>> Entries => _entries ?? Enumerable.Empty<KeyValuePair<FileName, DirectoryEntry>>();

    public bool TryGet(FileName name, out DirectoryEntry entry)
    {
        entry = default;
        return _entries is not null && _entries.TryGetValue(name, out entry);
    }

    public bool TryGet<T>(FileName name, [NotNullWhen(true)] out T? inode) where T : Inode
    {
        inode = TryGet(name, out DirectoryEntry entry) ? entry.Inode as T : null;
        return inode is not null;
    }

    /// <summary>Adds the name, or makes it stand for something else.</summary>
    public void Set(FileName name, Inode inode, int origin = 0) => (_entries ??= [])[name] = new DirectoryEntry(inode, origin);

    public bool Remove(FileName name) => _entries is not null && _entries.Remove(name);

    internal KeyValuePair<FileName, DirectoryEntry>[] Sorted()
    {
        KeyValuePair<FileName, DirectoryEntry>[] sorted = _entries is null ? [] : [.. _entries];
        Array.Sort(sorted, static (a, b) => a.Key.CompareTo(b.Key));
        return sorted;
    }
}

/// <param name="Inode">What the name stands for.</param>
/// <param name="Origin">The builder's own mark on the name, such as the layer that set it; the squashfs does not hold it.</param>
public readonly record struct DirectoryEntry(Inode Inode, int Origin);
