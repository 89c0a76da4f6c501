using Hypha.Net.Loop;
using Timer = Hypha.Net.Loop.Timer;

namespace Hypha.Net.Tests.Loop;

public sealed class TimerWheelTests
{
    private const long Tick = 1_024, Turn = 4_096 * Tick; // microseconds: of a slot, and of all fine slots

    [Fact]
    public void Timers_are_never_early_nor_late_and_cleared_ones_never_come()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            long now = random.NextInt64(1L << 50);
            var wheel = new TimerWheel(now);
            Probe[] timers = [.. Enumerable.Range(0, random.Next(1, 30)).Select(_ => new Probe())];
            for (int step = 0; step < 300; step++)
            {
                Probe timer = timers[random.Next(timers.Length)];
                switch (random.Next(5))
                {
                    case 0:
                        wheel.Clear(timer);
                        timer.Expected = null;
                        break;
                    case 1 or 2:
                        long due = now + Span(random);
                        timer.Expected = Math.Max(due, now);
                        wheel.Set(timer, due);
                        break;
                    default:
                        now = Advance(wheel, timers, now, now + Math.Max(0, Span(random)), seed);
                        break;
                }
                Assert.Equal(timers.Count(t => t.Expected is not null), wheel.Count);
            }
            now = Advance(wheel, timers, now, now + 40_000_000_000, seed);
            Assert.All(timers, t => Assert.Null(t.Expected));
            Assert.Equal(long.MaxValue, wheel.NextAdvance);
        }
    }

    [Fact]
    public void A_timer_set_one_turn_of_the_fine_wheel_ahead_of_its_slot_waits_for_that_turn()
    {
        var wheel = new TimerWheel(0);
        var timer = new Probe();
        wheel.Set(timer, 10 * Tick);
        wheel.Set(timer, 10 * Tick + Turn); // its place stays, and looked at comes to the same slot
        wheel.Advance(12 * Tick);
        Assert.Equal(0, timer.Count);
        wheel.Advance(10 * Tick + Turn);
        Assert.Equal(0, timer.Count);
        wheel.Advance(12 * Tick + Turn);
        Assert.Equal(1, timer.Count);
    }

    [Fact]
    public void A_timer_may_set_itself_one_turn_of_the_fine_wheel_ahead()
    {
        var wheel = new TimerWheel(0);
        var timer = new Probe();
        timer.Then = now => wheel.Set(timer, now + Turn - Tick);
        wheel.Set(timer, 10 * Tick);
        for (long now = 0; now < 5 * Turn; now += Tick)
            wheel.Advance(now);
        Assert.InRange(timer.Count, 4, 5);
    }

    [Fact]
    public void Timers_that_come_together_wait_for_the_next_turn_once_the_share_of_this_one_is_over()
    {
        var wheel = new TimerWheel(0);
        Probe[] timers = [.. Enumerable.Range(0, 1_000).Select(_ => new Probe())];
        foreach (Probe timer in timers)
            wheel.Set(timer, 5 * Tick);
        long now = 7 * Tick;
        wheel.Advance(now, new TurnShare(0));
        Assert.Equal(1, timers.Count(t => t.Count > 0));
        Assert.True(wheel.NextAdvance <= now);
        // Meanwhile they can be cleared, set for later, and set for the past.
        Probe[] left = [.. timers.Where(t => t.Count == 0)];
        wheel.Clear(left[0]);
        wheel.Set(left[1], 20 * Tick);
        wheel.Set(left[2], 0);
        for (int turns = 1; turns < timers.Length - 2; turns++)
            wheel.Advance(now += 1, new TurnShare(0));
        wheel.Advance(9 * Tick);
        Assert.Equal(0, left[0].Count);
        Assert.Equal(0, left[1].Count);
        Assert.All(left[2..], t => Assert.Equal(1, t.Count));
        wheel.Advance(22 * Tick);
        Assert.Equal(1, left[1].Count);
        Assert.Equal(0, wheel.Count);
    }

    [Fact]
    public void Timers_of_one_slot_may_clear_and_set_each_other()
    {
        var wheel = new TimerWheel(0);
        Probe a = new(), b = new(), c = new();
        wheel.Set(a, 5 * Tick);
        wheel.Set(b, 5 * Tick);
        wheel.Set(c, 5 * Tick);
        a.Then = b.Then = c.Then = now =>
        {
            foreach (Probe other in (Probe[])[a, b, c])
                wheel.Clear(other);
            wheel.Set(b, now + 3 * Tick);
            b.Then = null;
        };
        wheel.Advance(7 * Tick);
        Assert.Equal(1, a.Count + b.Count + c.Count);
        wheel.Advance(20 * Tick);
        Assert.Equal(2, a.Count + b.Count + c.Count);
        Assert.Equal(0, wheel.Count);
    }

    [Fact]
    public void A_quiet_wheel_is_not_woken_for_nothing()
    {
        var wheel = new TimerWheel(12_345);
        var timer = new Probe();
        const long due = 7_200_000_000; // a keep-alive
        wheel.Set(timer, due);
        int wakes = 0;
        long now = 0;
        while (timer.Count == 0)
        {
            now = wheel.NextAdvance;
            wheel.Advance(now);
            wakes++;
        }
        Assert.InRange(wakes, 1, 3);
        Assert.InRange(now, due, due + 2 * Tick);
    }

    [Fact]
    public void Setting_a_timer_later_again_and_again_costs_no_place()
    {
        var wheel = new TimerWheel(0);
        var timer = new Probe();
        for (long now = 0; now < 20_000_000; now += 500)
        {
            wheel.Set(timer, now + 200_000);
            wheel.Advance(now);
            Assert.Equal(1, wheel.Count);
        }
        Assert.Equal(0, timer.Count);
    }

    /// <summary>As the loop does it: whenever the wheel says, and in between.</summary>
    private static long Advance(TimerWheel wheel, Probe[] timers, long from, long to, int seed)
    {
        long now = from;
        while (true)
        {
            long next = Math.Min(to, wheel.NextAdvance);
            long first = timers.Min(t => t.Expected) ?? long.MaxValue;
            Assert.True(first == long.MaxValue || wheel.NextAdvance <= Math.Max(first, now) + 2 * Tick, $"seed {seed}: {wheel.NextAdvance} for {first} at {now}");
            now = Math.Max(now, next);
            wheel.Advance(now);
            foreach (Probe timer in timers)
                Assert.True(timer.Expected is null || timer.Expected > now - 2 * Tick, $"seed {seed}: due {timer.Expected} at {now}");
            if (now >= to)
                return now;
        }
    }

    private static long Span(Random random) => random.Next(9) switch
    {
        0 => -random.Next(100_000),
        1 => random.Next(3_000),
        2 => random.Next(1_000_000),
        3 => Turn - 3 * Tick + random.Next(6 * (int)Tick),
        4 => Turn * random.Next(1, 4_097) - 3 * Tick + random.Next(6 * (int)Tick),
        5 => random.NextInt64(7_200_000_000),
        6 => random.NextInt64(40_000_000_000),
        7 => Tick * random.Next(10_000),
        _ => random.Next(10_000_000),
    };

    private sealed class Probe : Timer
    {
        public long? Expected { get; set; }

        public int Count { get; private set; }

        public Action<long>? Then { get; set; }

        protected internal override void Expire(long now)
        {
            Assert.True(Expected is null || Expected <= now, $"early: {Expected} at {now}");
            Expected = null;
            Count++;
            Then?.Invoke(now);
        }
    }
}
