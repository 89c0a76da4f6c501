using Google.Protobuf;
using Hypha.Protocol.Ttrpc;

namespace Hypha.Ttrpc;

/// <summary>
/// Answers one connection over any byte stream, which it owns. Requests are begun in the order of their arrival and answered when
/// they are done, on whatever thread finishes them; the peer may break the protocol in any way and ends only its own connection.
/// </summary>
public sealed class TtrpcServer : IDisposable
{
    private readonly Stream _stream;
    private readonly TtrpcServices _services;
    private readonly TtrpcLimits _limits;
    private readonly FrameWriter _writer;
    private readonly CancellationTokenSource _closed = new();
    private Exception? _writeFailure;
    private int _outstanding;
    private uint _lastStreamId;

    public TtrpcServer(Stream stream, TtrpcServices services, TtrpcLimits? limits = null)
    {
        _stream = stream;
        _services = services;
        _limits = (limits ?? TtrpcLimits.Default).Checked();
        _writer = new FrameWriter(stream, _limits.MaxMessage, _limits.MaxOutstanding, Fail, _closed.Token);
    }

    /// <summary>Serves until the peer closes the connection, breaks the protocol, or the token ends; then the stream is disposed.</summary>
    /// <exception cref="TtrpcProtocolException">How the peer broke the protocol.</exception>
    public async Task RunAsync(CancellationToken ct = default)
    {
        using CancellationTokenRegistration stop = ct.UnsafeRegister(_ => Dispose(), null);
        try
        {
            var reader = new FrameReader(_stream, _limits.MaxMessage);
            while (await reader.ReadAsync(_closed.Token).ConfigureAwait(false))
                Take(reader);
        }
        catch (Exception e) when (e is not TtrpcProtocolException && _closed.IsCancellationRequested)
        {
            // The stream was disposed under the read: by us, or because a write failed.
            if (_writeFailure is { } failure && !ct.IsCancellationRequested)
                throw new TtrpcProtocolException($"the connection ended while a response was written: {failure.Message}", failure);
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        _closed.Cancel();
        _stream.Dispose();
    }

    private void Fail(Exception e)
    {
        _writeFailure ??= e;
        Dispose();
    }

    private void Take(FrameReader reader)
    {
        FrameHeader header = reader.Header;
        if (header.Type != MessageType.Request)
            throw new TtrpcProtocolException($"stream {header.StreamId}: a message of type {(byte)header.Type} where a request is due");
        // PROTOCOL.md, "Stream": a client's ids are odd and each is greater than the one before.
        if (header.StreamId % 2 == 0 || header.StreamId <= _lastStreamId)
            throw new TtrpcProtocolException($"stream {header.StreamId} after {_lastStreamId}: a client's stream ids are odd and rise");
        _lastStreamId = header.StreamId;
        if (Interlocked.Increment(ref _outstanding) > _limits.MaxOutstanding)
            throw new TtrpcProtocolException($"more than {_limits.MaxOutstanding} requests at once");

        Request request;
        try
        {
            request = Request.Parser.ParseFrom(reader.Payload);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new TtrpcProtocolException($"stream {header.StreamId}: the request's envelope cannot be read: {e.Message}", e);
        }
        _ = AnswerAsync(header, request);
    }

    private async Task AnswerAsync(FrameHeader header, Request request)
    {
        var response = new Response();
        try
        {
            response.Payload = (await HandleAsync(header, request).ConfigureAwait(false)).ToByteString();
        }
        catch (Exception e)
        {
            response.Status = StatusOf(e);
        }

        byte[] frame;
        try
        {
            frame = _writer.Frame(MessageType.Response, response);
        }
        catch (TtrpcException e)
        {
            frame = _writer.Frame(MessageType.Response, new Response { Status = StatusOf(e) });
        }
        bool posted = _writer.Post(header.StreamId, frame);
        Interlocked.Decrement(ref _outstanding);
        if (posted)
            _writer.Pump();
        else
            Fail(new IOException("the peer takes no responses"));
    }

    private async Task<IMessage> HandleAsync(FrameHeader header, Request request)
    {
        if (header.Flags.HasFlag(MessageFlags.RemoteOpen))
            throw new TtrpcException(StatusCode.Unimplemented, $"{request.Service}/{request.Method}: streaming is not served");
        if (_services.Find(request.Service, request.Method) is not { } handler)
            throw new TtrpcException(StatusCode.Unimplemented, $"{request.Service}/{request.Method} is not served");
        if (request.TimeoutNano <= 0)
            return await handler(request.Payload, _closed.Token).ConfigureAwait(false);

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token);
        long milliseconds = Math.Min(request.TimeoutNano / 1_000_000, int.MaxValue - 1) + 1;
        deadline.CancelAfter((int)milliseconds);
        return await handler(request.Payload, deadline.Token).ConfigureAwait(false);
    }

    private Status StatusOf(Exception e) => e switch
    {
        TtrpcException t => new Status { Code = (int)t.StatusCode, Message = t.Message },
        OperationCanceledException when _closed.IsCancellationRequested => new Status { Code = (int)StatusCode.Cancelled, Message = "the connection is closed" },
        OperationCanceledException => new Status { Code = (int)StatusCode.DeadlineExceeded, Message = "the caller's deadline passed" },
        _ => new Status { Code = (int)StatusCode.Internal, Message = e.Message },
    };
}
