using Hypha.Containers.Agent;
using Hypha.Containers.Console;
using Hypha.Containers.Output;
using Hypha.Containers.Records;

namespace Hypha.Containers.Life;

/// <summary>
/// One container as clients see it: its record, its output, its agent while it answers, and its end. What happens to it is
/// decided by its <see cref="Supervisor"/> alone.
/// </summary>
public sealed class Container : IDisposable
{
    private readonly ContainerDirectory _directory;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<ExitStatus> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _destroy = new();
    private readonly SemaphoreSlim _moving = new(1);
    private TaskCompletionSource<GuestAgent> _agent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ContainerRecord _record;

    public Container(ContainerRecord record, ContainerDirectory directory)
    {
        _record = record;
        _directory = directory;
        Output = new OutputHub(new OutputLog(directory.OutputLogPath));
        ConsoleLog = new BoundedLog(directory.ConsoleLogPath);
        if (record.Ended)
            End(record.Exit ?? new ExitStatus(125));
    }

    public ContainerRecord Record
    {
        get
        {
            lock (_gate)
                return _record;
        }
    }

    public ContainerDirectory Directory => _directory;

    public OutputHub Output { get; }

    /// <summary>What the guest's kernel and init said.</summary>
    public BoundedLog ConsoleLog { get; }

    /// <summary>Completes once the container ended and its guest is gone.</summary>
    public Task<ExitStatus> Ended => _ended.Task;

    /// <summary>Completes when the first client attached, or is not waited for any more.</summary>
    internal Task Attached => _attached.Task;

    /// <summary>Cancelled when somebody wants the guest gone, whatever its state.</summary>
    internal CancellationToken DestroyRequested => _destroy.Token;

    /// <summary>The agent, once it answers; after a restart of the channel, the new one.</summary>
    /// <exception cref="ContainerException">FailedPrecondition when the container ended before.</exception>
    public async Task<GuestAgent> AgentAsync(CancellationToken cancellation)
    {
        Task<GuestAgent> agent;
        lock (_gate)
            agent = _agent.Task;
        if (await Task.WhenAny(agent, _ended.Task).WaitAsync(cancellation).ConfigureAwait(false) == agent)
            return await agent.ConfigureAwait(false);
        throw new ContainerException(ContainerError.FailedPrecondition, $"{Record.Shown} has ended.");
    }

    /// <summary>A client is there to read: output that was held for it flows.</summary>
    public void ReleaseOutput() => _attached.TrySetResult();

    public void RequestDestroy() => _destroy.Cancel();

    internal void Update(Func<ContainerRecord, ContainerRecord> change)
    {
        lock (_gate)
        {
            _record = change(_record);
            _directory.Write(_record);
        }
    }

    /// <summary>One move between networks at a time.</summary>
    internal SemaphoreSlim Moving => _moving;

    internal void AgentAnswers(GuestAgent agent) => Current().TrySetResult(agent);

    internal void AgentLost()
    {
        lock (_gate)
        {
            if (_agent.Task.IsCompleted)
                _agent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    internal void End(ExitStatus status)
    {
        Output.Complete();
        ConsoleLog.Complete();
        _attached.TrySetResult();
        _ended.TrySetResult(status);
    }

    public void Dispose()
    {
        Output.Dispose();
        ConsoleLog.Dispose();
        _destroy.Dispose();
        _moving.Dispose();
    }

    private TaskCompletionSource<GuestAgent> Current()
    {
        lock (_gate)
            return _agent;
    }
}
