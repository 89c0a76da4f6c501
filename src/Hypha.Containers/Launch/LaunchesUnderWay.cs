using System.Collections.Concurrent;
using Hypha.Containers.Records;

namespace Hypha.Containers.Launch;

/// <summary>The launches that are not done yet, by their container's UUID, so that somebody else can end one and wait until it is undone.</summary>
internal sealed class LaunchesUnderWay
{
    private readonly ConcurrentDictionary<ContainerId, Entry> _entries = [];

    /// <exception cref="ContainerException">AlreadyExists.</exception>
    public Entry Begin(ContainerId id, CancellationToken cancellation)
    {
        var entry = new Entry(this, id, cancellation);
        if (_entries.TryAdd(id, entry))
            return entry;
        throw new ContainerException(ContainerError.AlreadyExists, $"a container with the UUID {id} is being launched.");
    }

    /// <summary>Cancels a launch and waits until it is undone, or, when it was too far for that, until its container is there.</summary>
    public async Task GiveUpAsync(ContainerId id)
    {
        if (!_entries.TryGetValue(id, out var entry))
            return;
        entry.Cancel();
        await entry.Done.ConfigureAwait(false);
    }

    internal sealed class Entry(LaunchesUnderWay owner, ContainerId id, CancellationToken cancellation) : IDisposable
    {
        private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationToken Cancellation => _source.Token;

        public Task Done => _done.Task;

        public void Cancel()
        {
            try
            {
                _source.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // it is done
            }
        }

        public void Dispose()
        {
            owner._entries.TryRemove(id, out _);
            _source.Dispose();
            _done.TrySetResult();
        }
    }
}
