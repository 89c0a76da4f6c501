using Google.Protobuf;
using Hypha.Guest.Processes;
using Hypha.Guest.Start;
using Hypha.Guest.Streams;
using Hypha.Protocol.Guest;
using Hypha.Ttrpc;

namespace Hypha.Guest.Agent;

/// <summary>Service hypha.guest.v1.Agent over a container. Its state is the container's: it outlives every connection.</summary>
public sealed class AgentService(Container container, InitConsole console)
{
    public const string Name = "hypha.guest.v1.Agent";

    private const uint Version = 1;
    private const int LargestPiece = 64 * 1024;

    private readonly TaskCompletionSource _released = new();

    /// <summary>The host has everything.</summary>
    public Task Released => _released.Task;

    public TtrpcServices Services() => new TtrpcServices()
        .Add(Name, "Hello", HelloRequest.Parser, Hello)
        .Add(Name, "ReadOutput", ReadOutputRequest.Parser, ReadOutput)
        .Add(Name, "WriteInput", WriteInputRequest.Parser, WriteInput)
        .Add(Name, "CloseInput", CloseInputRequest.Parser, CloseInput)
        .Add(Name, "Resize", ResizeRequest.Parser, Resize)
        .Add(Name, "Signal", SignalRequest.Parser, Signal)
        .Add(Name, "Wait", WaitRequest.Parser, Wait)
        .Add(Name, "SetNetwork", SetNetworkRequest.Parser, SetNetwork)
        .Add(Name, "Release", ReleaseRequest.Parser, Release);

    private Task<IMessage> Hello(HelloRequest request, CancellationToken ct)
    {
        if (request.Version != Version)
            throw new TtrpcException(StatusCode.FailedPrecondition, $"the host speaks version {request.Version} of the agent's protocol, the guest {Version}");
        if (console.IsDebugging)
            console.Debug(InitStatus.Describe());
        return Answer(new HelloResponse { Version = Version, ContainerId = container.Id, Pid = (uint)container.Pid });
    }

    private async Task<IMessage> ReadOutput(ReadOutputRequest request, CancellationToken ct)
    {
        OutputBuffer buffer = request.Stream switch
        {
            Protocol.Guest.Stream.Stdout => container.Output,
            Protocol.Guest.Stream.Stderr => container.ErrorOutput,
            _ => throw new TtrpcException(StatusCode.InvalidArgument, $"there is no stream {(int)request.Stream}"),
        };
        if (request.MaxBytes == 0)
            throw new TtrpcException(StatusCode.InvalidArgument, "a read of 0 bytes");
        try
        {
            OutputPiece piece = await buffer.ReadAsync(checked((long)request.Offset), (int)Math.Min(request.MaxBytes, LargestPiece), ct).ConfigureAwait(false);
            return new ReadOutputResponse { Offset = (ulong)piece.Offset, Data = UnsafeByteOperations.UnsafeWrap(piece.Data), End = piece.IsEnd };
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new TtrpcException(StatusCode.OutOfRange, $"offset {request.Offset} lies beyond what was written", e);
        }
    }

    private async Task<IMessage> WriteInput(WriteInputRequest request, CancellationToken ct)
    {
        if (request.Data.Length > LargestPiece)
            throw new TtrpcException(StatusCode.InvalidArgument, $"{request.Data.Length} bytes of input at once; the limit is {LargestPiece}");
        return new WriteInputResponse { Closed = !await container.Input.WriteAsync(request.Data.Memory).WaitAsync(ct).ConfigureAwait(false) };
    }

    private Task<IMessage> CloseInput(CloseInputRequest request, CancellationToken ct)
    {
        container.Input.Close();
        return Answer(new CloseInputResponse());
    }

    private async Task<IMessage> Resize(ResizeRequest request, CancellationToken ct)
    {
        await container.Begun.WaitAsync(ct).ConfigureAwait(false);
        container.Resize(request.Columns, request.Rows);
        return new ResizeResponse();
    }

    private async Task<IMessage> Signal(SignalRequest request, CancellationToken ct)
    {
        await container.Begun.WaitAsync(ct).ConfigureAwait(false);
        return request.Signal is >= 1 and <= 64
            ? new SignalResponse { Delivered = container.Signal((int)request.Signal) }
            : throw new TtrpcException(StatusCode.InvalidArgument, $"there is no signal {request.Signal}");
    }

    private async Task<IMessage> Wait(WaitRequest request, CancellationToken ct) => await container.Ended.WaitAsync(ct).ConfigureAwait(false);

    private async Task<IMessage> SetNetwork(SetNetworkRequest request, CancellationToken ct)
    {
        await container.Begun.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            GuestNetwork.Change(request.Network ?? new NetworkInterface(), console);
            container.Write(request.Files);
        }
        catch (Exception e) when (e is StartException or IOException or FormatException or UnauthorizedAccessException)
        {
            throw new TtrpcException(StatusCode.Internal, e.Message, e);
        }
        return new SetNetworkResponse();
    }

    private Task<IMessage> Release(ReleaseRequest request, CancellationToken ct)
    {
        // Not here: the answer is to be sent first.
        ThreadPool.QueueUserWorkItem(_ => _released.TrySetResult());
        return Answer(new ReleaseResponse());
    }

    private static Task<IMessage> Answer(IMessage message) => Task.FromResult(message);
}
