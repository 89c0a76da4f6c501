using Google.Protobuf;
using Grpc.Core;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Tests;

/// <summary>The daemon's side of one attach, step by step in the order in which a test tells it.</summary>
internal sealed class FakeContainer(IAsyncStreamReader<AttachRequest> requests, IServerStreamWriter<AttachEvent> events)
{
    public AttachOpen? Open { get; private set; }

    public async Task BeginAsync(bool terminal = false)
    {
        Assert.True(await requests.MoveNext(CancellationToken.None));
        Open = requests.Current.Open;
        await events.WriteAsync(new AttachEvent { Attached = new Attached { Id = FakeDaemon.Id, Terminal = terminal } });
    }

    public Task StdoutAsync(string text) => events.WriteAsync(new AttachEvent { Stdout = ByteString.CopyFromUtf8(text) });

    public Task StdoutAsync(ReadOnlyMemory<byte> data) => events.WriteAsync(new AttachEvent { Stdout = ByteString.CopyFrom(data.Span) });

    public Task StderrAsync(string text) => events.WriteAsync(new AttachEvent { Stderr = ByteString.CopyFromUtf8(text) });

    public Task ExitAsync(uint code, string message = "") =>
        events.WriteAsync(new AttachEvent { Exited = new ExitStatus { Code = code, Message = message } });

    /// <summary>The client's next request; null when it has gone.</summary>
    public async Task<AttachRequest?> NextAsync()
    {
        try
        {
            return await requests.MoveNext(CancellationToken.None) ? requests.Current : null;
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or RpcException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The next request of a kind, past all others.</summary>
    public async Task<AttachRequest> NextAsync(AttachRequest.RequestOneofCase kind)
    {
        while (await NextAsync() is { } request)
        {
            if (request.RequestCase == kind)
                return request;
        }
        throw new InvalidOperationException($"the client went before it sent {kind}");
    }

    /// <summary>Input until the client closes it.</summary>
    public async Task<byte[]> InputToEndAsync(Func<ReadOnlyMemory<byte>, Task>? each = null)
    {
        var all = new MemoryStream();
        while (await NextAsync() is { CloseInput: false } request)
        {
            all.Write(request.Input.Span);
            if (each is not null)
                await each(request.Input.Memory);
        }
        return all.ToArray();
    }
}
