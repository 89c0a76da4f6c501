using System.Text;
using Hypha.XenStore.Wire;

namespace Hypha.XenStore;

/// <summary>
/// One attempt at a transaction: reads see its own writes, and nobody sees any of it before the commit. <see cref="Write"/> and
/// its like are kept and sent in one piece, before the next question or the commit, so that a hundred nodes cost one round trip; the
/// commit waits for all their answers, and nothing is committed when one was refused.
/// </summary>
public sealed class StoreTransaction : StoreOperations
{
    private readonly CancellationToken _cancellation;
    private readonly Lock _gate = new();
    private readonly List<StoreRequest> _kept = [];
    private readonly List<Task> _sent = [];

    internal StoreTransaction(StoreConnection connection, uint id, CancellationToken cancellation) : base(connection, id) =>
        _cancellation = cancellation;

    public void Write(StorePath path, string value) => Keep(WriteRequest(path, Encoding.UTF8.GetBytes(value)));

    public void MakeDirectory(StorePath path) => Keep(MakeDirectoryRequest(path));

    public void SetPermissions(StorePath path, StorePermissions permissions) => Keep(SetPermissionsRequest(path, permissions));

    public void Remove(StorePath path) => Keep(RemoveRequest(path));

    /// <summary>Waits for the answers to all that was kept and sent.</summary>
    internal Task SentAsync()
    {
        lock (_gate)
        {
            SendKept();
            return Task.WhenAll(_sent);
        }
    }

    /// <summary>Ends it for good: there is nothing to abandon any more, whatever the answer is.</summary>
    internal Task CommitAsync() => End("T", "committing a transaction");

    internal async Task AbortAsync()
    {
        try
        {
            lock (_gate)
                _kept.Clear();
            await End("F", "abandoning a transaction").ConfigureAwait(false);
            await Task.WhenAll(_sent).ConfigureAwait(false);
        }
        catch (Exception error) when (error is StoreException or OperationCanceledException)
        {
            // The reason for which it is abandoned is already on its way to the caller.
        }
    }

    private protected override Task<byte[]> AskAsync(StoreRequest request, CancellationToken cancellation)
    {
        lock (_gate)
        {
            SendKept();
            return base.AskAsync(request, cancellation);
        }
    }

    private Task<byte[]> End(string how, string what) =>
        AskAsync(MessageType.TransactionEnd, Payload.Strings(how), what, CancellationToken.None);

    private void Keep(StoreRequest request)
    {
        lock (_gate)
            _kept.Add(request);
    }

    private void SendKept()
    {
        if (_kept.Count == 0)
            return;
        _sent.Add(Connection.RequestAllAsync(TransactionId, _kept, _cancellation));
        _kept.Clear();
    }
}
