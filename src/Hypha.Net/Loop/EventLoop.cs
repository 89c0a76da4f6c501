using Hypha.Linux;

namespace Hypha.Net.Loop;

/// <summary>Waits for a file: called by the loop when something happened to it.</summary>
public interface IFileWatcher
{
    void Ready(EpollEvents events, long now);
}

/// <summary>Has work left over for the next turn of the loop; queued through itself.</summary>
public interface ITurn
{
    /// <summary>Called once, after the events of a turn.</summary>
    void Turn(long now);
}

/// <summary>The one thread of the packet path: files (epoll), timers, and what is to be done at the end of each turn.</summary>
public sealed partial class EventLoop : IDisposable
{
    private const int EventsPerTurn = 256;
    private const int PageBits = 9; // files in the table grow by so many: nothing is copied, and nothing is left over

    private readonly Epoll _epoll = new();
    private readonly EventFile _wake = new();
    private readonly EpollEvent[] _events = new EpollEvent[EventsPerTurn];
    private readonly Queue<ITurn> _turns = new(), _last = new();
    private Entry[][] _pages = [];
    private int _free = None, _used;
    private volatile bool _stopping;

    public EventLoop()
    {
        Now = MonotonicClock.Now;
        Timers = new TimerWheel(Now);
        _epoll.Add(_wake.Number, EpollEvents.Readable, ulong.MaxValue);
    }

    /// <summary>The time of this turn, in microseconds.</summary>
    public long Now { get; private set; }

    public TimerWheel Timers { get; }

    internal TurnShares Shares { get; } = new();

    /// <param name="guest">Whose it is: it is called in that guest's share of the turn; null: at once.</param>
    /// <returns>A token, with which the file is removed again.</returns>
    /// <exception cref="LinuxException">ENOSPC, ENOMEM: no more files can be waited for.</exception>
    public ulong Add(int file, EpollEvents events, IFileWatcher watcher, GuestSockets? guest = null)
    {
        int index = _free;
        if (index != None)
        {
            _free = At(index).Next;
        }
        else
        {
            index = _used++;
            if (index >> PageBits == _pages.Length)
                _pages = [.. _pages, new Entry[1 << PageBits]];
        }
        ref Entry entry = ref At(index);
        (entry.Watcher, entry.Guest) = (watcher, guest);
        ulong token = (ulong)entry.Generation << 32 | (uint)index;
        try
        {
            _epoll.Add(file, events, token);
        }
        catch
        {
            Release(index);
            throw;
        }
        return token;
    }

    public void Change(int file, EpollEvents events, ulong token) => _epoll.Change(file, events, token);

    /// <summary>Before the file is closed. No event of it comes any more, not even one that was read already.</summary>
    public void Remove(int file, ulong token)
    {
        _epoll.Remove(file);
        Release((int)(uint)token);
    }

    /// <summary>As <see cref="Remove"/>, for a file that is closed right after, of which there is no second descriptor: that takes it from the kernel's list.</summary>
    public void Forget(ulong token) => Release((int)(uint)token);

    /// <summary>Has <paramref name="work"/> called at the end of this turn, or of the next when this one's end has begun. Its owner sees to it that it is queued once.</summary>
    public void AtTurnEnd(ITurn work) => _turns.Enqueue(work);

    /// <summary>Has <paramref name="work"/> called when all else of this turn is done: what was put together in it is sent. Its owner sees to it that it is queued once.</summary>
    public void BeforeWaiting(ITurn work) => _last.Enqueue(work);

    /// <summary>Runs until <see cref="Stop"/>.</summary>
    public void Run()
    {
        while (!_stopping)
            Once();
    }

    /// <summary>Ends <see cref="Run"/>; from any thread.</summary>
    public void Stop()
    {
        _stopping = true;
        _wake.Set();
    }

    public void Dispose()
    {
        _wake.Dispose();
        _epoll.Dispose();
    }

    internal bool HasTurns => _turns.Count > 0;

    /// <summary>One turn: waits for a file, a timer, or for nothing when there is work left over.</summary>
    internal void Once()
    {
        int timeout = 0;
        if (_turns.Count == 0 && _last.Count == 0 && _guests.Count == 0)
        {
            long due = Timers.NextAdvance;
            timeout = due == long.MaxValue ? -1 : (int)Math.Clamp((due - MonotonicClock.Now + 999) / 1000, 0, 3_600_000);
        }
        int count = _epoll.Wait(_events, timeout);
        Now = MonotonicClock.Now;
        for (int i = 0; i < count; i++)
        {
            ulong token = _events[i].Token;
            if (token == ulong.MaxValue)
            {
                RunPosts();
                continue;
            }
            int index = (int)(uint)token;
            ref Entry entry = ref At(index);
            if (entry.Generation != (uint)(token >> 32))
                continue;
            if (entry.Guest is null)
                entry.Watcher!.Ready(_events[i].Events, Now);
            else
                Await(index, _events[i].Events);
        }
        TellGuests();
        Timers.Advance(Now, Shares.Begin());
        // What is queued meanwhile waits for the next turn: the loop looks at its files in between.
        for (int left = _turns.Count; left > 0; left--)
            _turns.Dequeue().Turn(Now);
        while (_last.TryDequeue(out ITurn? work))
            work.Turn(Now);
    }

    private ref Entry At(int index) => ref _pages[index >> PageBits][index & ((1 << PageBits) - 1)];

    private void Release(int index)
    {
        ref Entry entry = ref At(index);
        Leave(ref entry);
        (entry.Watcher, entry.Guest) = (null, null);
        entry.Generation++;
        entry.Next = _free;
        _free = index;
    }

    private struct Entry
    {
        public IFileWatcher? Watcher;
        public GuestSockets? Guest;
        public uint Generation;

        /// <summary>What its watcher has not been told yet; none when it does not wait for its guest's share.</summary>
        public EpollEvents Pending;

        /// <summary>Of those that wait, or that are free.</summary>
        public int Next, Previous;
    }
}
