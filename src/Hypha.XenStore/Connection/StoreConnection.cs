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
    private readonly Dictionary<uint, PendingAnswer> _pending = [];
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
    /// <exception cref="StoreException">The store's refusal, or the loss of the connection.</exception>
    public Task<byte[]> RequestAsync(uint transaction, StoreRequest request, CancellationToken cancellation)
    {
        var pending = new SingleAnswer(request);
        try
        {
            cancellation.ThrowIfCancellationRequested();
            Send(transaction, [pending]);
        }
        catch (Exception error) when (error is StoreException or OperationCanceledException)
        {
            return Task.FromException<byte[]>(error);
        }
        // Who gives up leaves the question behind: its answer is still to come, and is dropped.
        return cancellation.CanBeCanceled ? pending.Task.WaitAsync(cancellation) : pending.Task;
    }

    /// <summary>Sends requests in one piece; completes when all have been answered.</summary>
    /// <exception cref="StoreException">The first refusal, or the loss of the connection. When a message is too large, none is sent.</exception>
    public Task RequestAllAsync(uint transaction, IReadOnlyList<StoreRequest> requests, CancellationToken cancellation)
    {
        if (requests.Count == 0)
            return Task.CompletedTask;
        var answers = new AnswerCount(requests.Count);
        try
        {
            cancellation.ThrowIfCancellationRequested();
            Send(transaction, [.. requests.Select(answers.Of)]);
        }
        catch (Exception error) when (error is StoreException or OperationCanceledException)
        {
            return Task.FromException(error);
        }
        return cancellation.CanBeCanceled ? answers.Task.WaitAsync(cancellation) : answers.Task;
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

    private void Send(uint transaction, ReadOnlySpan<PendingAnswer> pending)
    {
        int size = 0;
        foreach (PendingAnswer one in pending)
        {
            if (one.Request.TooLarge is { } refusal)
                throw refusal;
            size += one.Request.Size;
        }
        var messages = new byte[size];
        try
        {
            lock (_writing) // the order on the wire is the order of numbers
            {
                int at = 0;
                foreach (PendingAnswer one in pending)
                {
                    StoreRequest request = one.Request;
                    new MessageHeader(request.Type, Enter(one), transaction, request.Payload.Length).Write(messages.AsSpan(at));
                    request.Payload.CopyTo(messages, at + MessageHeader.Size);
                    at += request.Size;
                }
                _transport.Write(messages);
            }
        }
        catch (Exception error) when (error is (IOException and not StoreException) or ObjectDisposedException)
        {
            Fail(StoreException.Lost(Name, error.Message, error));
        }
    }

    private uint Enter(PendingAnswer pending)
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
            var buffer = new ReadBuffer(_transport);
            while (buffer.TryFill(MessageHeader.Size))
            {
                if (!MessageHeader.TryParse(buffer.Take(MessageHeader.Size), out MessageHeader message))
                {
                    why = "it sent a message longer than the protocol allows";
                    break;
                }
                if (!buffer.TryFill(message.Length))
                    break;
                Dispatch(message, buffer.Take(message.Length));
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

    private void Dispatch(MessageHeader message, ReadOnlySpan<byte> payload)
    {
        if (message.Type == MessageType.WatchEvent)
        {
            Fire(payload);
            return;
        }
        PendingAnswer? pending;
        lock (_gate)
        {
            if (!_pending.Remove(message.RequestId, out pending))
                return; // not ours to judge: the answer to Stop's last question
        }
        if (message.Type == MessageType.Error)
            pending.Fail(new StoreException(pending.Request.What, ErrorName.Parse(payload)));
        else if (message.Type != pending.Request.Type)
            pending.Fail(StoreException.BadAnswer(pending.Request.What, $"it is of type {(uint)message.Type}"));
        else
            pending.Succeed(payload.ToArray());
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
        PendingAnswer[] pending;
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
        foreach (PendingAnswer one in pending)
            one.Fail(failure);
        foreach (WatchQueue one in watches)
            one.End(failure);
        _lost.TrySetResult(failure);
        return true;
    }
}
