using Hypha.Linux;

namespace Hypha.Net.Loop;

/// <summary>
/// The host's sockets that are one guest's, as the loop sees them: those of which there is something to tell wait here, each once, for the guest's
/// share of the turn. So however many a guest has, another waits for one share of it and not for all its sockets.
/// </summary>
public sealed class GuestSockets(EventLoop loop)
{
    /// <summary>The first and the last entry of the loop's table that waits.</summary>
    internal int First = EventLoop.None, Last = EventLoop.None;

    /// <summary>When the guest was counted last among those that have something to say.</summary>
    internal long Seen;

    /// <summary>It has its place in the loop's turn.</summary>
    internal bool IsQueued;

    public EventLoop Loop => loop;

    /// <summary>As <see cref="EventLoop.Add"/>: the watcher is called in the guest's share of the turn.</summary>
    public ulong Add(int file, EpollEvents events, IFileWatcher watcher) => loop.Add(file, events, watcher, this);
}
