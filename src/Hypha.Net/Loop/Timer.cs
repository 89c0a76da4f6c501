namespace Hypha.Net.Loop;

/// <summary>Something that is to happen at a time; linked into a <see cref="TimerWheel"/> through itself, so that waiting costs no memory.</summary>
public abstract class Timer
{
    internal Timer? Previous, Next;
    internal int Slot = TimerWheel.NotLinked;

    /// <summary>When it is due, in microseconds; <see cref="long.MaxValue"/> when not at all. May be later than its place in the wheel says.</summary>
    internal long Due = long.MaxValue;

    /// <summary>Called once the time has come. The timer is not set any more.</summary>
    protected internal abstract void Expire(long now);
}
