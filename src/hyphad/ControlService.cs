using Google.Protobuf;
using Grpc.Core;
using Hypha.Containers;
using Hypha.Containers.Life;
using Hypha.Containers.Output;
using Hypha.Protocol.Control;
using Container = Hypha.Containers.Life.Container;

namespace Hypha.Daemon;

/// <summary>The control API (control.proto): turns requests into calls of the engine and its failures into gRPC statuses.</summary>
internal sealed partial class ControlService(ContainerEngine engine, ILogger<ControlService> logger) : Control.ControlBase
{
    public static string ProgramVersion { get; } = typeof(ControlService).Assembly.GetName().Version!.ToString(3);

    public override Task<VersionResponse> Version(VersionRequest request, ServerCallContext context) =>
        Task.FromResult(new VersionResponse { Version = ProgramVersion });

    public override Task Launch(LaunchRequest request, IServerStreamWriter<LaunchEvent> events, ServerCallContext context) =>
        Guarded(async () =>
        {
            var sender = new LatestOnly<Progress>(progress => events.WriteAsync(new LaunchEvent { Progress = progress }));
            var launch = engine.LaunchAsync(Messages.ToOptions(request), progress => sender.Post(Messages.ToProgress(progress)), context.CancellationToken);
            var launched = await launch.ConfigureAwait(false);
            await sender.CompleteAsync().ConfigureAwait(false);
            await events.WriteAsync(new LaunchEvent { Launched = Messages.ToLaunched(launched) }).ConfigureAwait(false);
        });

    public override Task<ListResponse> List(ListRequest request, ServerCallContext context) =>
        Guarded(() =>
        {
            var response = new ListResponse();
            response.Containers.AddRange(engine.Containers.All.Where(c => request.All || !c.Record.Ended).Select(Messages.ToContainer));
            return Task.FromResult(response);
        });

    public override Task<InspectResponse> Inspect(InspectRequest request, ServerCallContext context) =>
        Guarded(() =>
        {
            var container = engine.Containers.Find(request.Container);
            return Task.FromResult(new InspectResponse { Container = Messages.ToContainer(container), Json = Messages.ToJson(container) });
        });

    public override Task<WaitResponse> Wait(WaitRequest request, ServerCallContext context) =>
        Guarded(async () =>
        {
            var exit = await engine.Containers.Find(request.Container).Ended.WaitAsync(context.CancellationToken).ConfigureAwait(false);
            return new WaitResponse { Exit = Messages.ToExit(exit) };
        });

    public override Task<DestroyResponse> Destroy(DestroyRequest request, ServerCallContext context) =>
        Guarded(async () =>
        {
            // Once begun it is carried through, even if the client goes.
            var id = await engine.DestroyAsync(request.Container).ConfigureAwait(false);
            return new DestroyResponse { Id = id.ToString() };
        });

    public override Task<SignalResponse> Signal(SignalRequest request, ServerCallContext context) =>
        Guarded(async () =>
        {
            var container = engine.Containers.Find(request.Container);
            if (request.Signal is < 1 or > 64)
                throw new ContainerException(ContainerError.InvalidArgument, $"{request.Signal} is no signal; Linux has 1 to 64.");
            var agent = await container.AgentAsync(context.CancellationToken).ConfigureAwait(false);
            if (!await agent.SignalAsync((int)request.Signal, context.CancellationToken).ConfigureAwait(false))
                throw new ContainerException(ContainerError.FailedPrecondition, $"{container.Record.Shown} has no process any more.");
            return new SignalResponse();
        });

    public override Task Logs(LogsRequest request, IServerStreamWriter<AttachEvent> events, ServerCallContext context) =>
        Guarded(async () =>
        {
            var container = engine.Containers.Find(request.Container);
            using var subscription = container.Output.Subscribe(history: true, follow: request.Follow);
            await SendOutputAsync(subscription, events, context.CancellationToken).ConfigureAwait(false);
        });

    public override Task Console(ConsoleRequest request, IServerStreamWriter<ConsoleEvent> events, ServerCallContext context) =>
        Guarded(async () =>
        {
            var container = engine.Containers.Find(request.Container);
            await foreach (var data in engine.ReadConsoleAsync(container, request.Follow, context.CancellationToken).ConfigureAwait(false))
                await events.WriteAsync(new ConsoleEvent { Data = ByteString.CopyFrom(data.Span) }).ConfigureAwait(false);
        });

    public override Task PullImage(PullImageRequest request, IServerStreamWriter<PullImageEvent> events, ServerCallContext context) =>
        Guarded(async () =>
        {
            var sender = new LatestOnly<Progress>(progress => events.WriteAsync(new PullImageEvent { Progress = progress }));
            var image = await engine.PullAsync(request.Image, request.Insecure, progress => sender.Post(Messages.ToProgress(progress)),
                context.CancellationToken).ConfigureAwait(false);
            await sender.CompleteAsync().ConfigureAwait(false);
            await events.WriteAsync(new PullImageEvent { Image = Messages.ToImage(image) }).ConfigureAwait(false);
        });

    public override Task<ListImagesResponse> ListImages(ListImagesRequest request, ServerCallContext context) =>
        Guarded(() =>
        {
            var response = new ListImagesResponse();
            response.Images.AddRange(engine.Images.List().Select(Messages.ToImage));
            return Task.FromResult(response);
        });

    public override Task<HostInfoResponse> HostInfo(HostInfoRequest request, ServerCallContext context) =>
        Guarded(() => Task.FromResult(Messages.ToHostInfo(engine.HostInfo(), ProgramVersion)));

    public override Task<HostCheckResponse> HostCheck(HostCheckRequest request, ServerCallContext context) =>
        Guarded(() =>
        {
            var response = new HostCheckResponse();
            response.Checks.AddRange(engine.HostChecks().Select(Messages.ToCheck));
            return Task.FromResult(response);
        });

    private static async Task SendOutputAsync(OutputHub.Subscription output, IServerStreamWriter<AttachEvent> events, CancellationToken cancellation)
    {
        await foreach (var chunk in output.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            // The memory is the chunk's alone and never changes: no copy.
            var data = UnsafeByteOperations.UnsafeWrap(chunk.Data);
            await events.WriteAsync(chunk.Stream == OutputStream.Stderr ? new AttachEvent { Stderr = data } : new AttachEvent { Stdout = data })
                .ConfigureAwait(false);
        }
    }

    private async Task Guarded(Func<Task> call)
    {
        await Guarded(async () =>
        {
            await call().ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
    }

    /// <summary>A failure leaves as a status with one sentence; what is not expected is logged whole, and leaves with its message alone.</summary>
    private async Task<T> Guarded<T>(Func<Task<T>> call)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (ContainerException error)
        {
            throw new RpcException(new Status(Messages.ToStatus(error.Error), error.Message));
        }
        catch (OperationCanceledException)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "the call was cancelled."));
        }
        catch (Exception error) when (error is not RpcException)
        {
            LogUnexpected(logger, error);
            throw new RpcException(new Status(StatusCode.Internal, error.Message));
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "a call failed in a way nobody foresaw")]
    private static partial void LogUnexpected(ILogger logger, Exception error);
}
