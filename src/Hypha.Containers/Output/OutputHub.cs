using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Hypha.Containers.Output;

/// <summary>
/// Hands a container's output to its log and to attached clients. Publishing waits for the slowest client, and with it
/// waits, through the guest channel, the container: no byte is lost, and none is kept without bound.
/// </summary>
public sealed class OutputHub(OutputLog log) : IDisposable
{
    private const int ChunksPerClient = 8; // of at most 64 KiB each

    private readonly Lock _gate = new();
    private readonly List<Channel<OutputChunk>> _clients = [];
    private bool _completed;

    /// <summary>Where the guest is to be read from.</summary>
    public long End(OutputStream stream) => log.End(stream);

    public async ValueTask PublishAsync(OutputChunk chunk, CancellationToken cancellation)
    {
        Channel<OutputChunk>[] clients;
        lock (_gate)
        {
            log.Append(chunk);
            if (_clients.Count == 0)
                return;
            clients = [.. _clients];
        }
        foreach (var client in clients)
        {
            try
            {
                await client.Writer.WriteAsync(chunk, cancellation).ConfigureAwait(false);
            }
            catch (ChannelClosedException)
            {
                // the client left meanwhile
            }
        }
    }

    /// <summary>The container's output is at its end: what is kept can still be read.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            foreach (var client in _clients)
                client.Writer.TryComplete();
            _clients.Clear();
        }
    }

    /// <summary>Opens the output for one client; nothing that is published afterwards is missed.</summary>
    /// <param name="history">Whether what is already kept comes first.</param>
    /// <param name="follow">Whether what comes later follows, up to the container's end.</param>
    public Subscription Subscribe(bool history, bool follow)
    {
        lock (_gate)
        {
            var client = Channel.CreateBounded<OutputChunk>(new BoundedChannelOptions(ChunksPerClient) { SingleReader = true });
            if (_completed || !follow)
                client.Writer.Complete();
            else
                _clients.Add(client);
            return new Subscription(this, client, history ? log.Snapshot() : null);
        }
    }

    public void Dispose()
    {
        Complete();
        log.Dispose();
    }

    private void Leave(Channel<OutputChunk> client)
    {
        lock (_gate)
            _clients.Remove(client);
        client.Writer.TryComplete();
        while (client.Reader.TryRead(out _))
        {
            // a publisher that waits for room gets it
        }
    }

    /// <summary>One client's place. Read it to its end, or dispose it: either way the publisher is not held up for long.</summary>
    public sealed class Subscription : IDisposable
    {
        private readonly OutputHub _hub;
        private readonly Channel<OutputChunk> _client;
        private readonly OutputHistory? _history;

        internal Subscription(OutputHub hub, Channel<OutputChunk> client, OutputHistory? history)
        {
            _hub = hub;
            _client = client;
            _history = history;
        }

        public async IAsyncEnumerable<OutputChunk> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellation = default)
        {
            if (_history is not null)
            {
                foreach (var chunk in _history.Read())
                    yield return chunk;
            }
            await foreach (var chunk in _client.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
                yield return chunk;
        }

        public void Dispose()
        {
            _history?.Dispose();
            _hub.Leave(_client);
        }
    }
}
