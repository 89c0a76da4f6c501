using System.Numerics;

namespace Hypha.Net.Loop;

/// <summary>
/// Timers by the millisecond, any number of them, each set and cleared in constant time (Varghese and Lauck, scheme 7, with two wheels:
/// slots of 1,024 µs for four seconds, then slots of four seconds for five hours).
/// </summary>
/// <remarks>
/// Setting a timer later than it was only writes down the new time: its place in the wheel stays, and it moves on when that comes.
/// So what is set again with every segment costs a store.
/// </remarks>
public sealed class TimerWheel
{
    internal const int NotLinked = -1;

    private const int Slots = 4096, SlotBits = 12;
    private const int Emptying = 2 * Slots; // a slot's timers while they are looked at: what is set into that slot meanwhile is of its next round
    private const int TickBits = 10; // 1,024 µs

    private readonly Timer?[] _slots = new Timer?[2 * Slots + 1];
    private readonly ulong[] _occupied = new ulong[2 * Slots / 64 + 1];
    private long _tick; // all slots before it have been emptied

    public TimerWheel(long now) => _tick = now >> TickBits;

    public int Count { get; private set; }

    /// <param name="due">Microseconds. One that has passed is due in the next tick.</param>
    public void Set(Timer timer, long due)
    {
        timer.Due = due;
        if (timer.Slot == NotLinked)
        {
            Link(timer);
            return;
        }
        // Its slot comes up in time: it will look at Due then.
        if (SlotTick(timer.Slot) <= due >> TickBits)
            return;
        Unlink(timer);
        Link(timer);
    }

    public void Clear(Timer timer)
    {
        timer.Due = long.MaxValue;
        if (timer.Slot != NotLinked)
            Unlink(timer);
    }

    /// <summary>Lets all timers expire whose time has come. They may set and clear timers.</summary>
    public void Advance(long now) => Advance(now, TurnShare.Endless);

    /// <summary>As <see cref="Advance(long)"/>, as far as the share goes: thousands may have been set for one tick. The rest expires when it is called again.</summary>
    internal void Advance(long now, in TurnShare share)
    {
        if (!TryExpire(now, share))
            return;
        long target = (now >> TickBits) - 1; // the last tick that is over: no timer is early
        while (_tick <= target)
        {
            if (Count == 0)
            {
                _tick = target + 1;
                return;
            }
            // Entering a coarse slot's time: what lies in it spreads over the fine ones.
            if ((_tick & (Slots - 1)) == 0)
                Spread(Slots + (int)((_tick >> SlotBits) & (Slots - 1)));
            int slot = (int)(_tick & (Slots - 1));
            _tick++;
            if (_slots[slot] is not null)
            {
                Take(slot);
                if (!TryExpire(now, share))
                    return;
            }
            else
            {
                _tick = Math.Min(Math.Min(NextOccupiedFine(), (_tick + Slots - 1) & ~(Slots - 1L)), target + 1);
            }
        }
    }

    /// <summary>When to call <see cref="Advance(long)"/> next: not later than the first timer is due; <see cref="long.MaxValue"/> without any.</summary>
    public long NextAdvance
    {
        get
        {
            if (Count == 0)
                return long.MaxValue;
            if (_slots[Emptying] is not null)
                return 0;
            long fine = NextOccupiedFine();
            return (Math.Min(fine, NextOccupiedCoarse()) + 1) << TickBits;
        }
    }

    private void Link(Timer timer)
    {
        long tick = Math.Max(timer.Due >> TickBits, _tick);
        int slot;
        if (tick - _tick < Slots)
        {
            slot = (int)(tick & (Slots - 1));
        }
        else
        {
            long coarse = Math.Min(tick >> SlotBits, (_tick >> SlotBits) + Slots - 1);
            slot = Slots + (int)(coarse & (Slots - 1));
        }
        timer.Slot = slot;
        timer.Previous = null;
        timer.Next = _slots[slot];
        if (timer.Next is not null)
            timer.Next.Previous = timer;
        _slots[slot] = timer;
        _occupied[slot >> 6] |= 1UL << (slot & 63);
        Count++;
    }

    private void Unlink(Timer timer)
    {
        int slot = timer.Slot;
        if (timer.Previous is not null)
            timer.Previous.Next = timer.Next;
        else
            _slots[slot] = timer.Next;
        if (timer.Next is not null)
            timer.Next.Previous = timer.Previous;
        if (_slots[slot] is null)
            _occupied[slot >> 6] &= ~(1UL << (slot & 63));
        timer.Previous = timer.Next = null;
        timer.Slot = NotLinked;
        Count--;
    }

    /// <summary>Puts a slot's timers where they are looked at.</summary>
    private void Take(int slot)
    {
        _slots[Emptying] = _slots[slot];
        _slots[slot] = null;
        _occupied[slot >> 6] &= ~(1UL << (slot & 63));
        for (Timer? each = _slots[Emptying]; each is not null; each = each.Next)
            each.Slot = Emptying;
    }

    /// <summary>Gives the timers of a coarse slot, whose time begins, their places in the fine ones.</summary>
    private void Spread(int slot)
    {
        Take(slot);
        while (_slots[Emptying] is { } timer)
            Move(timer);
    }

    /// <summary>Lets those expire that are looked at.</summary>
    /// <returns>False when the share is over before.</returns>
    private bool TryExpire(long now, in TurnShare share)
    {
        while (_slots[Emptying] is { } timer)
        {
            if (timer.Due >> TickBits >= _tick)
            {
                Move(timer);
                continue;
            }
            Unlink(timer);
            timer.Due = long.MaxValue;
            timer.Expire(now);
            if (share.IsOver)
                return _slots[Emptying] is null;
        }
        return true;
    }

    private void Move(Timer timer)
    {
        Unlink(timer);
        Link(timer);
    }

    /// <summary>The tick that a slot stands for next.</summary>
    private long SlotTick(int slot) => slot switch
    {
        Emptying => _tick - 1,
        < Slots => _tick + ((slot - _tick) & (Slots - 1)),
        _ => FirstCoarse + ((slot - FirstCoarse) & (Slots - 1)) << SlotBits,
    };

    /// <summary>The first coarse slot's time that has not been entered.</summary>
    private long FirstCoarse => (_tick + Slots - 1) >> SlotBits;

    private long NextOccupiedFine() => NextOccupied((int)(_tick & (Slots - 1)), 0);

    /// <summary>When the next coarse slot with timers in it is entered, as a tick.</summary>
    private long NextOccupiedCoarse() => NextOccupied((int)(FirstCoarse & (Slots - 1)), Slots);

    private long NextOccupied(int from, int wheel)
    {
        // Words from here around to here again; the first looks at its upper part alone, the last at its lower.
        for (int i = 0; i <= Slots / 64; i++)
        {
            int word = ((from >> 6) + i) & (Slots / 64 - 1);
            ulong bits = _occupied[(wheel >> 6) + word];
            if (i == 0)
                bits &= ulong.MaxValue << (from & 63);
            if (bits != 0)
                return SlotTick(wheel + (word << 6) + BitOperations.TrailingZeroCount(bits));
        }
        return long.MaxValue;
    }
}
