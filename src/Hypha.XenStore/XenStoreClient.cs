using System.Net.Sockets;
using Hypha.Linux;
using Hypha.XenStore.Wire;

namespace Hypha.XenStore;

/// <summary>A connection to the xenstore. Any number of threads may use it at once; requests do not wait for each other.</summary>
public sealed partial class XenStoreClient : StoreOperations, IDisposable
{
    public const string DevicePath = "/dev/xen/xenbus";
    private const int TransactionAttempts = 60;
    private const int LongestPause = 64; // ms

    private static readonly string[] s_sockets = ["/run/xenstored/socket", "/var/run/xenstored/socket"];

    /// <summary>Speaks over a stream that is connected already.</summary>
    /// <param name="name">What it is, for messages to people.</param>
    public XenStoreClient(Stream stream, string name) : this(new StreamTransport(stream, name))
    {
    }

    private XenStoreClient(IStoreTransport transport) : base(new StoreConnection(transport), 0)
    {
    }

    /// <summary>Completes with the reason when the connection is lost, or was disposed.</summary>
    public Task<StoreException> Lost => Connection.Lost;

    /// <summary>Connects as a program of dom0 does: to the daemon's socket, else through the kernel.</summary>
    /// <exception cref="StoreException">No store answers; the message says what to do.</exception>
    public static XenStoreClient Connect()
    {
        foreach (string path in s_sockets)
        {
            try
            {
                return ConnectSocket(path);
            }
            catch (SocketException)
            {
                // not there, or left behind by a daemon that is gone
            }
        }
        try
        {
            return OpenDevice();
        }
        catch (LinuxException error)
        {
            throw StoreException.Unreachable(
                $"no xenstore answers: neither {string.Join(" nor ", s_sockets)} is served, nor does the kernel's {DevicePath} open ({error.Error.Text()}). "
                + "Start the xenstore daemon first; on a machine without Xen there is none.", error);
        }
    }

    /// <exception cref="SocketException">Nobody serves the socket.</exception>
    public static XenStoreClient ConnectSocket(string path) => new(StreamTransport.Connect(path));

    /// <summary>Connects as a guest does, through its kernel.</summary>
    public static XenStoreClient OpenDevice(string path = DevicePath) => new(XenBusTransport.Open(path));

    /// <summary>
    /// Runs <paramref name="body"/> in a transaction and commits it. When others changed what it read or wrote, runs it again, after a
    /// short pause of random length: it must have no other effect than on the transaction.
    /// </summary>
    /// <exception cref="StoreException">A request's refusal, or EAGAIN when even the last of many attempts met a conflict.</exception>
    public async Task<T> TransactAsync<T>(Func<StoreTransaction, Task<T>> body, CancellationToken cancellation = default)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await AttemptAsync(body, cancellation).ConfigureAwait(false);
            }
            catch (StoreException error) when (error.Error == Errno.EAGAIN && attempt < TransactionAttempts)
            {
                int pause = Random.Shared.Next(Math.Min(LongestPause, 1 << Math.Min(attempt, 10)) + 1);
                if (pause > 0)
                    await Task.Delay(pause, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc cref="TransactAsync{T}"/>
    public Task TransactAsync(Func<StoreTransaction, Task> body, CancellationToken cancellation = default) =>
        TransactAsync(async transaction =>
        {
            await body(transaction).ConfigureAwait(false);
            return true;
        }, cancellation);

    /// <inheritdoc cref="TransactAsync{T}"/>
    public Task TransactAsync(Action<StoreTransaction> body, CancellationToken cancellation = default) =>
        TransactAsync(transaction =>
        {
            body(transaction);
            return Task.FromResult(true);
        }, cancellation);

    /// <summary>Sets a watch; it lives until it is disposed or the connection ends.</summary>
    public Task<StoreWatch> WatchAsync(StorePath path, CancellationToken cancellation = default) => StoreWatch.SetAsync(Connection, path, cancellation);

    /// <summary>Waits until a node's value satisfies <paramref name="condition"/> (null: there is no such node).</summary>
    /// <returns>The value that did.</returns>
    public async Task<string?> WaitForAsync(StorePath path, Func<string?, bool> condition, CancellationToken cancellation = default)
    {
        await using StoreWatch watch = await WatchAsync(path, cancellation).ConfigureAwait(false);
        while (await watch.NextAsync(cancellation).ConfigureAwait(false) is not null)
        {
            string? value = await TryReadAsync(path, cancellation).ConfigureAwait(false);
            if (condition(value))
                return value;
        }
        throw StoreException.Lost(Connection.Name, "its watch ended");
    }

    public void Dispose() => Connection.Dispose();

    private async Task<T> AttemptAsync<T>(Func<StoreTransaction, Task<T>> body, CancellationToken cancellation)
    {
        byte[] answer = await AskAsync(MessageType.TransactionStart, Payload.Strings(""), "starting a transaction", cancellation).ConfigureAwait(false);
        string text = Payload.First(answer);
        if (!StoreValue.TryParse(text, 1, uint.MaxValue, out uint id))
            throw StoreException.BadAnswer("starting a transaction", $"\"{StoreValue.Printable(text)}\" is no transaction's number");
        var transaction = new StoreTransaction(Connection, id, cancellation);
        T result;
        try
        {
            result = await body(transaction).ConfigureAwait(false);
            await transaction.SentAsync().ConfigureAwait(false);
        }
        catch
        {
            await transaction.AbortAsync().ConfigureAwait(false);
            throw;
        }
        await transaction.CommitAsync().ConfigureAwait(false);
        return result;
    }
}
