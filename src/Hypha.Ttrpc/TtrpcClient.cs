using Google.Protobuf;
using Hypha.Protocol.Ttrpc;

namespace Hypha.Ttrpc;

/// <summary>
/// Calls a ttrpc server over any byte stream, which it owns. Many calls may be under way at once. The server is not trusted:
/// what breaks the protocol closes the connection, and every call under way fails with <see cref="StatusCode.Unavailable"/>.
/// </summary>
public sealed class TtrpcClient : IAsyncDisposable, IDisposable
{
    private readonly Stream _stream;
    private readonly TtrpcLimits _limits;
    private readonly FrameWriter _writer;
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;

    private readonly Lock _gate = new();
    private readonly Dictionary<uint, TaskCompletionSource<Response>> _calls = [];
    private readonly HashSet<uint> _forgotten = [];
    private uint _nextStreamId = 1; // odd ones are the client's
    private Exception? _reason;

    public TtrpcClient(Stream stream, TtrpcLimits? limits = null)
    {
        _stream = stream;
        _limits = (limits ?? TtrpcLimits.Default).Checked();
        _writer = new FrameWriter(stream, _limits.MaxMessage, _limits.MaxOutstanding, e => Close(e), _closed.Token);
        _reading = Task.Run(ReadLoopAsync);
    }

    /// <summary>Ends with the connection: faulted with the reason, or at peace after <see cref="Dispose"/> or when the server closed it.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Calls a method and waits for its answer.</summary>
    /// <exception cref="TtrpcException">The server's status, or <see cref="StatusCode.Unavailable"/> with why the connection ended.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up; a late answer is dropped.</exception>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        string service, string method, TRequest request, MessageParser<TResponse> parser, CancellationToken ct = default)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse>
    {
        ct.ThrowIfCancellationRequested();
        byte[] frame = _writer.Frame(
            MessageType.Request, new Request { Service = service, Method = method, Payload = request.ToByteString() });
        var call = new TaskCompletionSource<Response>(TaskCreationOptions.RunContinuationsAsynchronously);
        uint id = Begin(call, frame);
        _writer.Pump();

        Response response;
        using (ct.UnsafeRegister(_ => Forget(id, ct), null))
            response = await call.Task.ConfigureAwait(false);

        if (response.Status is { Code: not 0 } status)
            throw new TtrpcException((StatusCode)status.Code, status.Message);
        try
        {
            return parser.ParseFrom(response.Payload);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new TtrpcException(StatusCode.Internal, $"{service}/{method}: the answer cannot be read: {e.Message}", e);
        }
    }

    public void Dispose() => Close(null);

    public async ValueTask DisposeAsync()
    {
        Close(null);
        await _reading.ConfigureAwait(false);
    }

    // Ids rise on the wire as PROTOCOL.md demands: taken and posted under one lock.
    private uint Begin(TaskCompletionSource<Response> call, byte[] frame)
    {
        lock (_gate)
        {
            if (_closed.IsCancellationRequested)
                throw Unavailable();
            if (_calls.Count >= _limits.MaxOutstanding)
                throw new TtrpcException(StatusCode.ResourceExhausted, $"{_calls.Count} calls are under way; the limit is {_limits.MaxOutstanding}");
            uint id = _nextStreamId;
            if (id > uint.MaxValue - 2)
                throw new TtrpcException(StatusCode.Unavailable, "the connection's stream ids are used up");
            if (!_writer.Post(id, frame))
                throw new TtrpcException(StatusCode.ResourceExhausted, "the server takes no requests");
            _nextStreamId = id + 2;
            _calls.Add(id, call);
            return id;
        }
    }

    private void Forget(uint id, CancellationToken ct)
    {
        TaskCompletionSource<Response>? call;
        bool tooMany;
        lock (_gate)
        {
            if (!_calls.Remove(id, out call))
                return;
            _forgotten.Add(id);
            tooMany = _forgotten.Count > _limits.MaxForgotten;
        }
        call.TrySetCanceled(ct);
        if (tooMany)
            Close(new TtrpcProtocolException($"the server left more than {_limits.MaxForgotten} abandoned calls unanswered"));
    }

    private async Task ReadLoopAsync()
    {
        try
        {
            var reader = new FrameReader(_stream, _limits.MaxMessage);
            while (await reader.ReadAsync(_closed.Token).ConfigureAwait(false))
                Take(reader);
            Close(null);
        }
        catch (Exception e)
        {
            Close(e);
        }
    }

    private void Take(FrameReader reader)
    {
        FrameHeader header = reader.Header;
        if (header.Type != MessageType.Response)
            throw new TtrpcProtocolException($"stream {header.StreamId}: a message of type {(byte)header.Type} where a response is due");

        TaskCompletionSource<Response>? call;
        lock (_gate)
        {
            if (!_calls.Remove(header.StreamId, out call))
            {
                if (_forgotten.Remove(header.StreamId))
                    return;
                throw new TtrpcProtocolException($"stream {header.StreamId}: a response to no call");
            }
        }
        try
        {
            call.SetResult(Response.Parser.ParseFrom(reader.Payload));
        }
        catch (InvalidProtocolBufferException e)
        {
            var reason = new TtrpcProtocolException($"stream {header.StreamId}: the response's envelope cannot be read: {e.Message}", e);
            call.SetException(new TtrpcException(StatusCode.Unavailable, reason.Message, reason));
            throw reason;
        }
    }

    private void Close(Exception? reason)
    {
        TaskCompletionSource<Response>[] calls;
        lock (_gate)
        {
            if (_closed.IsCancellationRequested)
                return;
            _reason = reason;
            _closed.Cancel();
            calls = [.. _calls.Values];
            _calls.Clear();
            _forgotten.Clear();
        }
        _stream.Dispose();
        foreach (TaskCompletionSource<Response> call in calls)
            call.TrySetException(Unavailable());
        if (reason is null)
            _completion.TrySetResult();
        else
        {
            _completion.TrySetException(reason);
            _ = _completion.Task.Exception; // observed: nobody need wait for it
        }
    }

    private TtrpcException Unavailable() =>
        new(StatusCode.Unavailable, _reason is null ? "the connection is closed" : $"the connection is closed: {_reason.Message}", _reason);
}
