using Google.Protobuf;
using Hypha.Protocol.Guest;

namespace Hypha.Ttrpc.Tests;

/// <summary>A service that answers with what it got; "Gate" answers once it is opened.</summary>
internal sealed class Echo
{
    public const string Service = "test.Echo";

    public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource<CancellationToken> GateToken { get; } = new();

    public TtrpcServices Services() => new TtrpcServices()
        .Add(Service, "Echo", WriteInputRequest.Parser, (request, _) => Task.FromResult<IMessage>(request))
        .Add(Service, "Fail", (_, _) => throw new TtrpcException(StatusCode.NotFound, "no such thing"))
        .Add(Service, "Break", (_, _) => throw new InvalidOperationException("broken"))
        .Add(Service, "Gate", async (request, ct) =>
        {
            GateToken.TrySetResult(ct);
            await Gate.Task.WaitAsync(ct);
            return WriteInputRequest.Parser.ParseFrom(request);
        });
}
