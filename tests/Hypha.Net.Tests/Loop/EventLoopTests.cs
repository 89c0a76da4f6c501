using Hypha.Linux;
using Hypha.Net.Loop;

namespace Hypha.Net.Tests.Loop;

public sealed class EventLoopTests
{
    [Fact]
    public void A_file_that_is_ready_calls_its_watcher_until_it_is_removed()
    {
        using var loop = new EventLoop();
        using var file = new EventFile();
        var watcher = new Watcher();
        ulong token = loop.Add(file.Number, EpollEvents.Readable, watcher);
        file.Set();
        loop.Once();
        Assert.Equal(1, watcher.Count);
        loop.Once(); // it was not read: level-triggered
        Assert.Equal(2, watcher.Count);
        loop.Remove(file.Number, token);
        loop.AtTurnEnd(new Work(() => { })); // so that it does not wait
        loop.Once();
        Assert.Equal(2, watcher.Count);
    }

    [Fact]
    public void A_file_removed_by_another_of_the_same_turn_is_not_called_any_more()
    {
        using var loop = new EventLoop();
        using EventFile first = new(), second = new(), third = new();
        Watcher a = new(), b = new(), c = new();
        ulong tokenA = loop.Add(first.Number, EpollEvents.Readable, a), tokenB = loop.Add(second.Number, EpollEvents.Readable, b);
        // Whoever comes first removes the other, and a new file takes its place in the table.
        a.Then = () =>
        {
            loop.Remove(second.Number, tokenB);
            loop.Add(third.Number, EpollEvents.Readable, c);
        };
        b.Then = () =>
        {
            loop.Remove(first.Number, tokenA);
            loop.Add(third.Number, EpollEvents.Readable, c);
        };
        first.Set();
        second.Set();
        loop.Once();
        Assert.Equal(1, a.Count + b.Count);
        Assert.Equal(0, c.Count);
    }

    [Fact]
    public void Work_queued_at_a_turns_end_waits_for_the_next_turn()
    {
        using var loop = new EventLoop();
        int count = 0;
        Work? work = null;
        work = new Work(() =>
        {
            count++;
            loop.AtTurnEnd(work!);
        });
        loop.AtTurnEnd(work);
        for (int i = 1; i <= 5; i++)
        {
            loop.Once();
            Assert.Equal(i, count);
        }
        Assert.True(loop.HasTurns);
    }

    [Fact]
    public void The_loop_sleeps_until_a_timer_is_due()
    {
        using var loop = new EventLoop();
        long fired = 0, due = loop.Now + 30_000;
        var timer = new Alarm(now => fired = now);
        loop.Timers.Set(timer, due);
        int turns = 0;
        while (fired == 0)
        {
            loop.Once();
            Assert.InRange(++turns, 1, 5);
        }
        Assert.True(fired >= due);
    }

    [Fact]
    public async Task Stop_ends_it_from_another_thread()
    {
        using var loop = new EventLoop();
        Task run = Task.Run(loop.Run);
        loop.Stop();
        await run.WaitAsync(TimeSpan.FromSeconds(10));
    }

    private sealed class Watcher : IFileWatcher
    {
        public int Count { get; private set; }

        public Action? Then { get; set; }

        public void Ready(EpollEvents events, long now)
        {
            Count++;
            Then?.Invoke();
        }
    }

    internal sealed class Work(Action action) : ITurn
    {
        public void Turn(long now) => action();
    }

    private sealed class Alarm(Action<long> action) : Hypha.Net.Loop.Timer
    {
        protected internal override void Expire(long now) => action(now);
    }
}
