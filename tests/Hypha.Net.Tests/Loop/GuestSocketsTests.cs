using Hypha.Linux;
using Hypha.Net.Loop;

namespace Hypha.Net.Tests.Loop;

public sealed class GuestSocketsTests : IDisposable
{
    private const int Many = 60;

    private readonly EventLoop _loop = new();
    private readonly List<EventFile> _files = [];

    public void Dispose()
    {
        _files.ForEach(file => file.Dispose());
        _loop.Dispose();
    }

    [Fact]
    public void A_guest_with_many_sockets_has_its_share_of_the_turn_and_the_others_theirs()
    {
        GuestSockets busy = new(_loop), quiet = new(_loop);
        Watcher[] many = [.. Enumerable.Range(0, Many).Select(_ => Ready(busy, longer: true))];
        Watcher one = Ready(quiet);
        _loop.Once();
        Assert.Equal(1, one.Count);
        Assert.InRange(many.Sum(w => w.Count), 1, Many / 4); // 100 to 200 µs, at 50 µs each; some room for a slow machine
        // Nothing is lost: they have their turns in the order in which they came, though their edge is told by the kernel once.
        for (int turns = 0; many.Any(w => w.Count == 0); turns++)
        {
            Assert.InRange(turns, 0, Many);
            _loop.Once();
        }
        Assert.All(many, w => Assert.Equal(1, w.Count));
        Assert.Equal(1, one.Count);
    }

    [Fact]
    public void What_happens_to_a_socket_that_waits_is_told_with_what_happened_before()
    {
        var guest = new GuestSockets(_loop);
        Watcher[] all = [.. Enumerable.Range(0, Many).Select(_ => Ready(guest, longer: true))];
        _loop.Once();
        Watcher waiting = all.First(w => w.Count == 0);
        for (int i = 0; i < 3; i++)
        {
            waiting.File.Set();
            _loop.Once();
        }
        while (all.Any(w => w.Count == 0))
            _loop.Once();
        Assert.InRange(waiting.Count, 1, 2);
        Assert.True(waiting.Told.HasFlag(EpollEvents.Readable));
    }

    [Fact]
    public void Sockets_closed_while_they_wait_are_not_told_and_the_others_are()
    {
        var random = new Random(1);
        for (int round = 0; round < 50; round++)
        {
            var guest = new GuestSockets(_loop);
            List<Watcher> all = [.. Enumerable.Range(0, Many).Select(_ => Ready(guest, longer: random.Next(3) == 0))];
            _loop.Once();
            // Some that wait go, among them the first and the last, and others take their places in the table.
            List<Watcher> closed = [.. all.Where((w, i) => w.Count == 0 && (random.Next(2) == 0 || i == Many - 1))];
            foreach (Watcher watcher in closed)
                _loop.Remove(watcher.File.Number, watcher.Token);
            all.RemoveAll(closed.Contains);
            all.AddRange(closed.Select(_ => Ready(guest)));
            for (int turns = 0; all.Any(w => w.Count == 0); turns++)
            {
                Assert.InRange(turns, 0, 2 * Many);
                _loop.AtTurnEnd(new EventLoopTests.Work(() => { })); // so that it does not wait
                _loop.Once();
            }
            Assert.All(closed, w => Assert.Equal(0, w.Count));
            all.ForEach(w => _loop.Remove(w.File.Number, w.Token));
            Assert.Equal((-1, -1), (guest.First, guest.Last));
        }
    }

    [Fact]
    public void A_socket_may_close_those_that_wait_behind_it()
    {
        var guest = new GuestSockets(_loop);
        Watcher[] all = [.. Enumerable.Range(0, Many).Select(_ => Ready(guest))];
        int calls = 0;
        foreach (Watcher watcher in all)
        {
            watcher.Then = () =>
            {
                calls++;
                foreach (Watcher each in all)
                    _loop.Remove(each.File.Number, each.Token);
            };
        }
        _loop.Once();
        _loop.AtTurnEnd(new EventLoopTests.Work(() => { }));
        _loop.Once();
        Assert.Equal(1, calls);
    }

    private Watcher Ready(GuestSockets guest, bool longer = false)
    {
        var file = new EventFile();
        _files.Add(file);
        var watcher = new Watcher(file, longer);
        watcher.Token = guest.Add(file.Number, EpollEvents.Readable | EpollEvents.EdgeTriggered, watcher);
        file.Set();
        return watcher;
    }

    private sealed class Watcher(EventFile file, bool longer) : IFileWatcher
    {
        public EventFile File => file;

        public ulong Token { get; set; }

        public int Count { get; private set; }

        public EpollEvents Told { get; private set; }

        public Action? Then { get; set; }

        public void Ready(EpollEvents events, long now)
        {
            Count++;
            Told |= events;
            Then?.Invoke();
            long end = MonotonicClock.Now + 50;
            while (longer && MonotonicClock.Now < end)
                Thread.SpinWait(10);
        }
    }
}
