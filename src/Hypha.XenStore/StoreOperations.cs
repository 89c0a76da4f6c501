using System.Text;
using Hypha.Linux;
using Hypha.XenStore.Wire;

namespace Hypha.XenStore;

/// <summary>What can be done with nodes, within a transaction or outside (misc/xenstore.txt, "Database read, write and permissions operations").</summary>
public abstract class StoreOperations
{
    private const int ListAttempts = 10;

    private protected StoreOperations(StoreConnection connection, uint transaction)
    {
        Connection = connection;
        TransactionId = transaction;
    }

    internal StoreConnection Connection { get; }

    private protected uint TransactionId { get; }

    /// <summary>Reads a node's value.</summary>
    /// <exception cref="StoreException">ENOENT when there is no such node.</exception>
    public async Task<string> ReadAsync(StorePath path, CancellationToken cancellation = default) =>
        Encoding.UTF8.GetString(await ReadBytesAsync(path, cancellation).ConfigureAwait(false));

    /// <summary>As <see cref="ReadAsync"/>, but null when there is no such node.</summary>
    public async Task<string?> TryReadAsync(StorePath path, CancellationToken cancellation = default)
    {
        try
        {
            return await ReadAsync(path, cancellation).ConfigureAwait(false);
        }
        catch (StoreException error) when (error.Error == Errno.ENOENT)
        {
            return null;
        }
    }

    public Task<byte[]> ReadBytesAsync(StorePath path, CancellationToken cancellation = default) =>
        AskAsync(MessageType.Read, Payload.Strings(path.Value), $"reading {path}", cancellation);

    /// <summary>Stores a value; parents that are missing come to be, empty.</summary>
    public Task WriteAsync(StorePath path, string value, CancellationToken cancellation = default) =>
        WriteAsync(path, Encoding.UTF8.GetBytes(value), cancellation);

    /// <inheritdoc cref="WriteAsync(StorePath, string, CancellationToken)"/>
    public Task WriteAsync(StorePath path, ReadOnlyMemory<byte> value, CancellationToken cancellation = default) =>
        AskAsync(WriteRequest(path, value.Span), cancellation);

    /// <summary>Sees to it that a node exists; its value stays as it is.</summary>
    public Task MakeDirectoryAsync(StorePath path, CancellationToken cancellation = default) =>
        AskAsync(MakeDirectoryRequest(path), cancellation);

    /// <summary>Removes a node and all below it.</summary>
    /// <returns>False when it was not there.</returns>
    public async Task<bool> RemoveAsync(StorePath path, CancellationToken cancellation = default)
    {
        try
        {
            await AskAsync(RemoveRequest(path), cancellation).ConfigureAwait(false);
            return true;
        }
        catch (StoreException error) when (error.Error == Errno.ENOENT)
        {
            return false;
        }
    }

    /// <summary>The names of a node's children, however many.</summary>
    /// <exception cref="StoreException">ENOENT when there is no such node.</exception>
    public async Task<IReadOnlyList<string>> ListAsync(StorePath path, CancellationToken cancellation = default)
    {
        try
        {
            return Payload.Split(await AskAsync(MessageType.Directory, Payload.Strings(path.Value), $"listing {path}", cancellation).ConfigureAwait(false));
        }
        catch (StoreException error) when (error.Error == Errno.E2BIG)
        {
            return await ListInPartsAsync(path, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>As <see cref="ListAsync"/>, but nothing when there is no such node.</summary>
    public async Task<IReadOnlyList<string>> TryListAsync(StorePath path, CancellationToken cancellation = default)
    {
        try
        {
            return await ListAsync(path, cancellation).ConfigureAwait(false);
        }
        catch (StoreException error) when (error.Error == Errno.ENOENT)
        {
            return [];
        }
    }

    public async Task<StorePermissions> GetPermissionsAsync(StorePath path, CancellationToken cancellation = default)
    {
        string what = $"reading the permissions of {path}";
        List<string> texts = Payload.Split(await AskAsync(MessageType.GetPerms, Payload.Strings(path.Value), what, cancellation).ConfigureAwait(false));
        var entries = new StorePermission[texts.Count];
        for (int i = 0; i < entries.Length; i++)
        {
            if (!StorePermission.TryParse(texts[i], out entries[i]))
                throw StoreException.BadAnswer(what, $"\"{StoreValue.Printable(texts[i])}\"");
        }
        return entries.Length > 0 ? new StorePermissions(entries) : throw StoreException.BadAnswer(what, "it is empty");
    }

    public Task SetPermissionsAsync(StorePath path, StorePermissions permissions, CancellationToken cancellation = default) =>
        AskAsync(SetPermissionsRequest(path, permissions), cancellation);

    private protected virtual Task<byte[]> AskAsync(StoreRequest request, CancellationToken cancellation) =>
        Connection.RequestAsync(TransactionId, request, cancellation);

    private protected Task<byte[]> AskAsync(MessageType type, byte[] payload, string what, CancellationToken cancellation) =>
        AskAsync(new StoreRequest(type, payload, what), cancellation);

    private protected static StoreRequest WriteRequest(StorePath path, ReadOnlySpan<byte> value) =>
        new(MessageType.Write, Payload.PathAndValue(path.Value, value), $"writing {path}");

    private protected static StoreRequest MakeDirectoryRequest(StorePath path) => new(MessageType.Mkdir, Payload.Strings(path.Value), $"making {path}");

    // ENOENT: its parent is not there either.
    private protected static StoreRequest RemoveRequest(StorePath path) =>
        new(MessageType.Rm, Payload.Strings(path.Value), $"removing {path}", Tolerated: Errno.ENOENT);

    private protected static StoreRequest SetPermissionsRequest(StorePath path, StorePermissions permissions) =>
        new(MessageType.SetPerms, Payload.Strings([path.Value, .. permissions.Entries.Select(entry => entry.ToString())]),
            $"setting the permissions of {path} to {permissions}");

    // DIRECTORY_PART: "<gencnt>|<child-leaf-name>|*" from a byte offset into the whole list; an empty name ends it. Another generation
    // means that the list changed in between, and what was read so far is void.
    private async Task<IReadOnlyList<string>> ListInPartsAsync(StorePath path, CancellationToken cancellation)
    {
        string what = $"listing {path}";
        for (int attempt = 0; attempt < ListAttempts; attempt++)
        {
            List<byte> list = [];
            string? generation = null;
            while (true)
            {
                byte[] part = await AskAsync(MessageType.DirectoryPart, Payload.Strings(path.Value, list.Count.ToString()), what, cancellation).ConfigureAwait(false);
                string found = Payload.First(part);
                if (found != (generation ??= found))
                    break;
                ReadOnlySpan<byte> names = part.AsSpan(Math.Min(found.Length + 1, part.Length));
                bool last = names.IsEmpty || names.SequenceEqual("\0"u8) || names.EndsWith("\0\0"u8);
                list.AddRange(names);
                if (last)
                {
                    List<string> children = Payload.Split(list.ToArray());
                    children.RemoveAll(string.IsNullOrEmpty);
                    return children;
                }
            }
        }
        throw new StoreException($"{what}: it changed {ListAttempts} times while it was read", Errno.EAGAIN);
    }
}
