using System.Text;
using Hypha.XenStore.Wire;

namespace Hypha.XenStore;

/// <summary>
/// One attempt at a transaction: reads see its own writes, and nobody sees any of it before the commit. <see cref="Write"/> and
/// its like are sent without waiting for their answers, so that forty nodes cost one round trip; the commit waits for all
/// of them, and nothing is committed when one was refused.
/// </summary>
public sealed class StoreTransaction : StoreOperations
{
    private readonly CancellationToken _cancellation;
    private readonly List<Task> _sent = [];

    internal StoreTransaction(StoreConnection connection, uint id, CancellationToken cancellation) : base(connection, id) =>
        _cancellation = cancellation;

    public void Write(StorePath path, string value) => Send(WriteAsync(path, Encoding.UTF8.GetBytes(value), _cancellation));

    public void MakeDirectory(StorePath path) => Send(MakeDirectoryAsync(path, _cancellation));

    public void SetPermissions(StorePath path, StorePermissions permissions) => Send(SetPermissionsAsync(path, permissions, _cancellation));

    public void Remove(StorePath path) => Send(RemoveAsync(path, _cancellation));

    /// <summary>Waits for the answers to all that was sent.</summary>
    internal Task SentAsync() => Task.WhenAll(_sent);

    /// <summary>Ends it for good: there is nothing to abandon any more, whatever the answer is.</summary>
    internal Task CommitAsync() =>
        AskAsync(MessageType.TransactionEnd, Payload.Strings("T"), "committing a transaction", CancellationToken.None);

    internal async Task AbortAsync()
    {
        try
        {
            await AskAsync(MessageType.TransactionEnd, Payload.Strings("F"), "abandoning a transaction", CancellationToken.None).ConfigureAwait(false);
            await Task.WhenAll(_sent).ConfigureAwait(false);
        }
        catch (Exception error) when (error is StoreException or OperationCanceledException)
        {
            // The reason for which it is abandoned is already on its way to the caller.
        }
    }

    private void Send(Task request)
    {
        lock (_sent)
            _sent.Add(request);
    }
}
