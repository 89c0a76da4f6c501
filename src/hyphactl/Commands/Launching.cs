using Grpc.Core;
using Hypha.Ctl.Attach;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Connection;
using Hypha.Ctl.Display;
using Hypha.Linux;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary>A launch: the request, its progress, and then the container's UUID or its streams.</summary>
internal sealed class Launching(ControlConnection connection, LaunchRequest request, bool quiet, bool timing)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public async Task<int> RunAsync()
    {
        using var _ = connection;
        request.Id = Guid.NewGuid().ToString();
        if (request.Attach)
            AdaptToStreams();

        using var interruption = new Interruption();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Launched launched;
        try
        {
            launched = await Failures.Explained($"cannot launch {request.Image}", ExitCode.LaunchFailure, () => LaunchAsync(interruption.Token)).ConfigureAwait(false);
        }
        catch (Exception error) when (interruption.IsRequested) // whatever it is, hyphad may have ended the call in its own way first
        {
            await GiveUpAsync().ConfigureAwait(false);
            throw new CommandFailure("the launch was cancelled.", interruption.ExitCode, error);
        }

        if (timing)
            PrintPhases(launched, (ulong)clock.Elapsed.TotalMicroseconds);
        if (!request.Attach)
        {
            StandardText.Out.WriteLine(launched.Id);
            return ExitCode.Ok;
        }
        var open = new AttachOpen { Container = launched.Id, FromStart = true, Input = request.Interactive };
        string shown = launched.Name.Length > 0 ? launched.Name : launched.Id;
        return await Attachment.RunAsync(connection.Client, open, shown, forwardSignals: true).ConfigureAwait(false);
    }

    /// <summary>A person at a terminal gets a terminal; a script gets its three streams.</summary>
    private void AdaptToStreams()
    {
        request.Interactive = true;
        bool person = Terminal.Is(StandardStream.Input) && Terminal.Is(StandardStream.Output);
        request.Terminal |= person;
        if (request.Terminal && Terminal.Size(StandardStream.Input) is var (columns, rows))
            (request.Columns, request.Rows) = ((uint)columns, (uint)rows);
    }

    private async Task<Launched> LaunchAsync(CancellationToken cancellation)
    {
        await using var progress = ProgressDisplay.OnStandardError(quiet);
        using var call = connection.Client.Launch(request, cancellationToken: cancellation);
        await foreach (var update in call.ResponseStream.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            switch (update.EventCase)
            {
                case LaunchEvent.EventOneofCase.Progress:
                    progress.Report(update.Progress);
                    break;
                case LaunchEvent.EventOneofCase.Launched:
                    return update.Launched;
            }
        }
        throw new RpcException(new Status(StatusCode.Internal, "hyphad ended the launch without a result."));
    }

    /// <summary>Waits until hyphad has undone the launch. It may have been done in the very instant: then its container is removed.</summary>
    private async Task GiveUpAsync()
    {
        try
        {
            await connection.Client.DestroyAsync(new DestroyRequest { Container = request.Id }, deadline: DateTime.UtcNow + s_patience).ConfigureAwait(false);
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.NotFound)
        {
            // as it should be
        }
        catch (RpcException error)
        {
            Failures.Say($"hyphad did not say whether the launch was undone ({StatusText.Of(error)}). See with: hyphactl list -a");
        }
    }

    private static void PrintPhases(Launched launched, ulong seen)
    {
        var table = new TextTable("PHASE", "TIME");
        ulong sum = 0;
        foreach (var phase in launched.Phases)
        {
            table.Add(phase.Name, Amounts.Duration(phase.Microseconds));
            sum += phase.Microseconds;
        }
        table.Add("all of hyphad", Amounts.Duration(sum));
        table.Add("as seen by hyphactl", Amounts.Duration(seen));
        table.Print(StandardStream.Error);
    }
}
