using Grpc.Core;
using Hypha.Containers;
using Hypha.Containers.Agent;
using Hypha.Protocol.Control;

namespace Hypha.Daemon;

internal sealed partial class ControlService
{
    public override Task Attach(IAsyncStreamReader<AttachRequest> requests, IServerStreamWriter<AttachEvent> events, ServerCallContext context) =>
        Guarded(async () =>
        {
            if (!await requests.MoveNext(context.CancellationToken).ConfigureAwait(false) || requests.Current.Open is not { } open)
                throw new ContainerException(ContainerError.InvalidArgument, "an attach begins with \"open\".");
            var container = engine.Containers.Find(open.Container);
            if (container.Record.Ended && !open.FromStart)
                throw new ContainerException(ContainerError.FailedPrecondition,
                    $"{container.Record.Shown} has ended. See what it wrote with: hyphactl logs {container.Record.Shown}");

            using var output = container.Output.Subscribe(history: open.FromStart, follow: true);
            await events.WriteAsync(new AttachEvent
            {
                Attached = new Attached { Id = container.Record.Id.ToString(), Terminal = container.Record.Terminal },
            }).ConfigureAwait(false);
            container.ReleaseOutput();

            using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
            var input = HandleRequestsAsync(container, requests, ending.Token);
            await SendOutputAsync(output, events, context.CancellationToken).ConfigureAwait(false);
            var exit = await container.Ended.WaitAsync(context.CancellationToken).ConfigureAwait(false);
            await events.WriteAsync(new AttachEvent { Exited = Messages.ToExit(exit) }).ConfigureAwait(false);
            await ending.CancelAsync().ConfigureAwait(false);
            await input.ConfigureAwait(false);
        });

    /// <summary>Serves the client's side of an attach until it closes it, goes, or the container ends. Input waits for the container to take it.</summary>
    private async Task HandleRequestsAsync(Hypha.Containers.Life.Container container, IAsyncStreamReader<AttachRequest> requests, CancellationToken cancellation)
    {
        try
        {
            while (await requests.MoveNext(cancellation).ConfigureAwait(false))
            {
                var request = requests.Current;
                // The agent may not answer yet (the guest boots), or be another one after a restart: asked for each time.
                var agent = await container.AgentAsync(cancellation).ConfigureAwait(false);
                switch (request.RequestCase)
                {
                    case AttachRequest.RequestOneofCase.Input:
                        for (var rest = request.Input.Memory; !rest.IsEmpty;)
                        {
                            var piece = rest[..Math.Min(rest.Length, GuestAgent.MaximumData)];
                            rest = await agent.WriteInputAsync(piece, cancellation).ConfigureAwait(false) ? rest[piece.Length..] : default;
                        }
                        break;
                    case AttachRequest.RequestOneofCase.CloseInput:
                        await agent.CloseInputAsync(cancellation).ConfigureAwait(false);
                        break;
                    case AttachRequest.RequestOneofCase.Resize:
                        await agent.ResizeAsync((int)Math.Min(request.Resize.Columns, ushort.MaxValue),
                            (int)Math.Min(request.Resize.Rows, ushort.MaxValue), cancellation).ConfigureAwait(false);
                        break;
                    case AttachRequest.RequestOneofCase.Signal:
                        await agent.SignalAsync((int)Math.Clamp(request.Signal, 1, 64), cancellation).ConfigureAwait(false);
                        break;
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or ContainerException or Ttrpc.TtrpcException or RpcException)
        {
            // The container ended, or the client went: its output tells it all there is to tell.
            LogInputEnded(logger, container.Record.Shown, error.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Container}: an attached client's requests ended: {Why}")]
    private static partial void LogInputEnded(ILogger logger, string container, string why);
}
