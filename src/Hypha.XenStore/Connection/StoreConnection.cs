using System.Text;
using Hypha.Linux;
using Hypha.XenStore.Wire;

namespace Hypha.XenStore;

/// <summary>
/// Questions and answers over one transport: any thread asks, answers find their question by its number, watch events find
/// their watch by its token. One thread reads and sleeps in the kernel meanwhile, so that an idle connection costs nothing.
/// </summary>
internal sealed class StoreConnection : IDisposable
{
    private readonly IStoreTransport _transport;
    private readonly Lock _gate = new();
    private readonly Lock _writing = new();
    private readonly Dictionary<uint, Pending> _pending = [];
    private readonly Dictionary<string, WatchQueue> _watches = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource<StoreException> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private uint _lastRequest;
    private ulong _lastToken;
    private StoreException? _failure;

    public StoreConnection(IStoreTransport transport)
    {
        _transport = transport;
        new Thread(ReadAll, maxStackSize: 256 << 10) { IsBackground = true, Name = "xenstore" }.Start();
    }

    public string Name => _transport.Name;

    /// <summary>Completes with the reason when the connection is lost, or was disposed.</summary>
    public Task<StoreException> Lost => _lost.Task;

    /// <summary>Sends a request at once, in the order of calls; the answer's payload comes later.</summary>
    /// <param name="what">Its subject in an error's sentence: "reading /local/domain/3/name".</param>
    /// <exception cref="StoreException">The store's refusal, or the loss of the connection.</exception>
    public Task<byte[]> RequestAsync(MessageType type, uint transaction, byte[] payload, string what, CancellationToken cancellation)
    {
        if (payload.Length > MessageHeader.MaximumPayload)
            return Task.FromException<byte[]>(new StoreException($"{what}: the message would be {payload.Length} bytes, of {MessageHeader.MaximumPayload} at most", Errno.E2BIG));
        var pending = new Pending(type, what);
        try
        {
            cancellation.ThrowIfCancellationRequested();
            Send(pending, transaction, payload);
        }
        catch (Exception error) when (error is StoreException or OperationCanceledException)
        {
            return Task.FromException<byte[]>(error);
        }
        // Who gives up leaves the question behind: its answer is still to come, and is dropped.
        return cancellation.CanBeCanceled ? pending.Answer.Task.WaitAsync(cancellation) : pending.Answer.Task;
    }

    /// <summary>Makes a token that no other watch of this connection has.</summary>
    public string AddWatch(WatchQueue queue)
    {
        lock (_gate)
        {
            if (_failure is not null)
                throw _failure;
            string token = $"w{++_lastToken}";
            _watches.Add(token, queue);
            return token;
        }
    }

    public void RemoveWatch(string token)
    {
        lock (_gate)
            _watches.Remove(token);
    }

    public void Dispose()
    {
        if (!Fail(StoreException.Lost(Name, "it was closed")))
            return;
        try
        {
            lock (_writing)
                _transport.Stop();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // it ended by itself
        }
    }

    private void Send(Pending pending, uint transaction, byte[] payload)
    {
        var message = new byte[MessageHeader.Size + payload.Length];
        payload.CopyTo(message, MessageHeader.Size);
        try
        {
            lock (_writing) // the order on the wire is the order of numbers
            {
                new MessageHeader(pending.Type, Enter(pending), transaction, payload.Length).Write(message);
                _transport.Write(message);
            }
        }
        catch (Exception error) when (error is (IOException and not StoreException) or ObjectDisposedException)
        {
            Fail(StoreException.Lost(Name, error.Message, error));
        }
    }

    private uint Enter(Pending pending)
    {
        lock (_gate)
        {
            if (_failure is not null)
                throw _failure;
            do
                _lastRequest = _lastRequest < uint.MaxValue - 1 ? _lastRequest + 1 : 1;
            while (!_pending.TryAdd(_lastRequest, pending));
            return _lastRequest;
        }
    }

    private void ReadAll()
    {
        string why = "the store closed it";
        Exception? cause = null;
        try
        {
            var header = new byte[MessageHeader.Size];
            while (TryFill(header))
            {
                if (!MessageHeader.TryParse(header, out MessageHeader message))
                {
                    why = "it sent a message longer than the protocol allows";
                    break;
                }
                var payload = new byte[message.Length];
                if (!TryFill(payload))
                    break;
                Dispatch(message, payload);
                if (_lost.Task.IsCompleted)
                    break;
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            (why, cause) = (error.Message, error);
        }
        Fail(StoreException.Lost(Name, why, cause));
        _transport.Close();
    }

    private bool TryFill(Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int read = _transport.Read(buffer);
            if (read <= 0)
                return false;
            buffer = buffer[read..];
        }
        return true;
    }

    private void Dispatch(MessageHeader message, byte[] payload)
    {
        if (message.Type == MessageType.WatchEvent)
        {
            Fire(payload);
            return;
        }
        Pending? pending;
        lock (_gate)
        {
            if (!_pending.Remove(message.RequestId, out pending))
                return; // not ours to judge: the answer to Stop's last question
        }
        if (message.Type == MessageType.Error)
            pending.Answer.TrySetException(new StoreException(pending.What, ErrorName.Parse(payload)));
        else if (message.Type != pending.Type)
            pending.Answer.TrySetException(StoreException.BadAnswer(pending.What, $"it is of type {(uint)message.Type}"));
        else
            pending.Answer.TrySetResult(payload);
    }

    private void Fire(ReadOnlySpan<byte> payload)
    {
        int end = payload.IndexOf((byte)0);
        if (end < 0)
            return;
        string token = Payload.First(payload[(end + 1)..]);
        WatchQueue? queue;
        lock (_gate)
            _watches.TryGetValue(token, out queue);
        queue?.Add(Encoding.UTF8.GetString(payload[..end]));
    }

    private bool Fail(StoreException failure)
    {
        Pending[] pending;
        WatchQueue[] watches;
        lock (_gate)
        {
            if (_failure is not null)
                return false;
            _failure = failure;
            pending = [.. _pending.Values];
            watches = [.. _watches.Values];
            _pending.Clear();
            _watches.Clear();
        }
        foreach (Pending one in pending)
            one.Answer.TrySetException(failure);
        foreach (WatchQueue one in watches)
            one.End(failure);
        _lost.TrySetResult(failure);
        return true;
    }

    private sealed class Pending(MessageType type, string what)
    {
        public MessageType Type => type;

        public string What => what;

        public TaskCompletionSource<byte[]> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
