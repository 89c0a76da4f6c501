using System.Runtime.CompilerServices;
using Hypha.XenStore.Wire;

namespace Hypha.XenStore;

/// <summary>
/// A watch: a stream of what changed at a path and below. The first event comes at once, for the path itself (misc/xenstore.txt,
/// WATCH). Disposing it removes it from the store and ends the stream.
/// </summary>
public sealed class StoreWatch : IAsyncDisposable
{
    private readonly StoreConnection _connection;
    private readonly WatchQueue _queue;
    private int _disposed;

    private StoreWatch(StoreConnection connection, StorePath path, string token, WatchQueue queue)
    {
        _connection = connection;
        _queue = queue;
        Path = path;
        Token = token;
    }

    public StorePath Path { get; }

    internal string Token { get; }

    internal static async Task<StoreWatch> SetAsync(StoreConnection connection, StorePath path, CancellationToken cancellation)
    {
        var queue = new WatchQueue(path.Value);
        string token = connection.AddWatch(queue);
        try
        {
            await connection.RequestAsync(0, new(MessageType.Watch, Payload.Strings(path.Value, token), $"watching {path}"), cancellation).ConfigureAwait(false);
            return new StoreWatch(connection, path, token, queue);
        }
        catch
        {
            connection.RemoveWatch(token);
            throw;
        }
    }

    /// <summary>Reads the events; one reader at a time. Ends when the watch is disposed.</summary>
    /// <exception cref="StoreException">The connection is lost.</exception>
    public async IAsyncEnumerable<WatchEvent> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (await _queue.TakeAsync(cancellation).ConfigureAwait(false) is { } next)
            yield return next;
    }

    /// <summary>The next event; null once the watch was disposed.</summary>
    public ValueTask<WatchEvent?> NextAsync(CancellationToken cancellation = default) => _queue.TakeAsync(cancellation);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _queue.End(null);
        try
        {
            await _connection.RequestAsync(0, new(MessageType.Unwatch, Payload.Strings(Path.Value, Token), $"unwatching {Path}"), CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (StoreException)
        {
            // with its connection the watch is gone too
        }
        // Only now: events that were under way belong to nobody else.
        _connection.RemoveWatch(Token);
    }
}
