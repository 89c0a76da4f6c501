using System.Diagnostics;
using Hypha.Containers.Agent;
using Hypha.Containers.Output;
using Hypha.Containers.Records;
using Microsoft.Extensions.Logging;

namespace Hypha.Containers.Life;

/// <summary>The running guest under a container, as its supervisor needs it.</summary>
public interface IGuest
{
    /// <summary>Completes with a sentence when the domain shut down or is gone.</summary>
    Task<string> DomainEnded { get; }

    /// <summary>Asks the guest for a fresh channel and connects to it.</summary>
    Task<IAgentConnection> ConnectAsync(int session, CancellationToken cancellation);

    /// <summary>The last lines of the guest's console, for a person who must see why it died.</summary>
    string ConsoleTail();

    /// <summary>Destroys the domain and gives back everything it held. May be called once the guest is of no use, in any state.</summary>
    Task TearDownAsync();

    /// <summary>The daemon goes: lets go of what it holds of the guest, which stays as it is.</summary>
    ValueTask LeaveAsync();
}

/// <summary>A channel to a guest's agent; disposing it drops the channel.</summary>
public interface IAgentConnection : IAsyncDisposable
{
    GuestAgent Agent { get; }
}

/// <summary>
/// Leads one container from "its guest was started" to its end: connects to the agent, reads the output, learns the exit
/// status, releases and removes the guest. One per running container.
/// </summary>
public sealed partial class Supervisor(Container container, IGuest guest, SupervisorOptions options, Action finished, ILogger logger)
{
    // `finished` runs once the guest is gone and the record says so, before anybody who waits for the end is told.

    /// <summary>Runs to the container's end. Never throws: whatever happens becomes the container's exit status.</summary>
    /// <param name="stop">The daemon goes: leaves the guest alone and returns.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        ExitStatus status;
        var state = ContainerState.Failed;
        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop, container.DestroyRequested);
            var following = FollowAsync(ending.Token);
            var first = await Task.WhenAny(following, guest.DomainEnded).ConfigureAwait(false);
            if (first == following)
            {
                status = await following.ConfigureAwait(false);
                state = ContainerState.Exited;
            }
            else
            {
                status = Died(await guest.DomainEnded.ConfigureAwait(false));
                await ending.CancelAsync().ConfigureAwait(false);
                await following.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await guest.LeaveAsync().ConfigureAwait(false);
            return;
        }
        catch (OperationCanceledException) when (container.DestroyRequested.IsCancellationRequested)
        {
            status = new ExitStatus(137, 9, "the container was destroyed.");
            state = ContainerState.Exited;
        }
        catch (Exception error)
        {
            LogLost(logger, container.Record.Shown, error);
            status = Died(error.Message);
        }
        // A guest that told how its container ended may die as it likes.
        if (container.Record.Exit is { } told)
            (state, status) = (ContainerState.Exited, told);
        await FinishAsync(state, status).ConfigureAwait(false);
    }

    /// <summary>Talks to the agent until the container ended, over as many channels as it takes.</summary>
    private async Task<ExitStatus> FollowAsync(CancellationToken cancellation)
    {
        for (int failures = 0; ; failures++)
        {
            try
            {
                return await FollowOneAsync(cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or Ttrpc.TtrpcException && failures < options.ChannelAttempts
                && !cancellation.IsCancellationRequested)
            {
                LogChannelLost(logger, container.Record.Shown, error.Message);
                container.AgentLost();
                await Task.Delay(options.ChannelDelay, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<ExitStatus> FollowOneAsync(CancellationToken cancellation)
    {
        container.Update(record => record with { ChannelSession = record.ChannelSession + 1 });
        await using var connection = await ConnectAsync(cancellation).ConfigureAwait(false);
        var agent = connection.Agent;
        container.AgentAnswers(agent);
        await container.Attached.WaitAsync(cancellation).ConfigureAwait(false);

        using var pumping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var waiting = agent.WaitAsync(pumping.Token);
        var pumps = new List<Task> { OutputPump.RunAsync(agent, OutputStream.Stdout, container.Output, pumping.Token) };
        if (!container.Record.Terminal)
            pumps.Add(OutputPump.RunAsync(agent, OutputStream.Stderr, container.Output, pumping.Token));
        try
        {
            // Whichever fails first ends the attempt; all must succeed.
            var all = new List<Task>(pumps) { waiting };
            while (all.Count > 0)
            {
                var done = await Task.WhenAny(all).ConfigureAwait(false);
                all.Remove(done);
                await done.ConfigureAwait(false);
            }
        }
        catch
        {
            await pumping.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(pumps.Append(waiting)).ContinueWith(_ => { }, CancellationToken.None,
                TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
            throw;
        }

        var status = await waiting.ConfigureAwait(false);
        // On disk before the guest forgets it.
        container.Update(record => record with { Exit = status });
        await agent.ReleaseAsync(cancellation).WaitAsync(options.ReleaseDeadline, cancellation).ConfigureAwait(false);
        return status;
    }

    private async Task<IAgentConnection> ConnectAsync(CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(options.StartDeadline);
        var clock = Stopwatch.StartNew();
        try
        {
            var connection = await guest.ConnectAsync(container.Record.ChannelSession, deadline.Token).ConfigureAwait(false);
            try
            {
                await connection.Agent.HelloAsync(deadline.Token).ConfigureAwait(false);
                return connection;
            }
            catch
            {
                await connection.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"the guest's init did not answer within {clock.Elapsed.TotalSeconds:F0} s");
        }
    }

    private ExitStatus Died(string why)
    {
        string tail = guest.ConsoleTail();
        return new ExitStatus(125, 0, tail.Length > 0 ? $"{why}. The end of its console:\n{tail}" : $"{why}. Its console is empty.");
    }

    private async Task FinishAsync(ContainerState state, ExitStatus status)
    {
        try
        {
            await guest.TearDownAsync().ConfigureAwait(false);
        }
        catch (Exception error) // the container ended all the same; the next start of the daemon sweeps what is left
        {
            LogTearDownFailed(logger, container.Record.Shown, error);
        }
        container.Update(record => record with { State = state, Exit = status, Domain = 0, Finished = DateTimeOffset.UtcNow });
        finished();
        container.End(status);
        LogEnded(logger, container.Record.Shown, status.Code);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Container}: ended with status {Code}")]
    private static partial void LogEnded(ILogger logger, string container, int code);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Container}: the channel to the guest broke and is made anew: {Why}")]
    private static partial void LogChannelLost(ILogger logger, string container, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Container}: the guest is lost")]
    private static partial void LogLost(ILogger logger, string container, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Container}: taking the guest down failed")]
    private static partial void LogTearDownFailed(ILogger logger, string container, Exception error);
}

/// <summary>How patient a supervisor is.</summary>
public sealed record SupervisorOptions
{
    /// <summary>From the guest's start, or a channel's request, to the agent's first answer.</summary>
    public TimeSpan StartDeadline { get; init; } = TimeSpan.FromSeconds(120);

    public TimeSpan ReleaseDeadline { get; init; } = TimeSpan.FromSeconds(10);
    public TimeSpan ChannelDelay { get; init; } = TimeSpan.FromMilliseconds(200);
    public int ChannelAttempts { get; init; } = 5;
}
