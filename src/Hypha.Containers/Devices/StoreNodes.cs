using Hypha.XenStore;

namespace Hypha.Containers.Devices;

/// <summary>Nodes to be written as one transaction, in the order in which they were added: a child takes its parent's permissions.</summary>
public sealed class StoreNodes
{
    private readonly List<(StorePath Path, string? Value, StorePermissions? Permissions)> _nodes = [];

    public int Count => _nodes.Count;

    /// <summary>A directory, or an empty node, with permissions of its own.</summary>
    public void Directory(StorePath path, StorePermissions permissions) => _nodes.Add((path, null, permissions));

    public void Value(StorePath path, string value) => _nodes.Add((path, value, null));

    public void Value(StorePath path, long value) => Value(path, value.ToString());

    internal void AddTo(StoreTransaction transaction)
    {
        foreach (var (path, value, permissions) in _nodes)
        {
            if (value is null)
                transaction.MakeDirectory(path);
            else
                transaction.Write(path, value);
            if (permissions is not null)
                transaction.SetPermissions(path, permissions);
        }
    }
}
