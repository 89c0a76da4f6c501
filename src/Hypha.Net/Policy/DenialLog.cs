using Hypha.Net.Loop;

namespace Hypha.Net.Policy;

/// <summary>
/// A line for each flow that is denied: the same once a minute, and ten of all in a minute. What was left out is counted, and said a minute later
/// at most.
/// </summary>
internal sealed class DenialLog(TimerWheel timers, Action<string> log) : Loop.Timer
{
    public const int Most = 10;
    public const long Time = 60 * MonotonicClock.Second;

    // All that was said within the time, as no more may be; the oldest is where the next goes.
    private readonly (Denial Denial, long Until)[] _said = new (Denial, long)[Most];
    private int _oldest;
    private ulong _leftOut;

    public void Add(in Denial denial, long now)
    {
        foreach (ref readonly (Denial Denial, long Until) said in _said.AsSpan())
        {
            if (now < said.Until && said.Denial == denial)
                return;
        }
        ref (Denial Denial, long Until) oldest = ref _said[_oldest];
        if (now < oldest.Until)
        {
            if (_leftOut++ == 0)
                timers.Set(this, now + Time);
            return;
        }
        oldest = (denial, now + Time);
        _oldest = (_oldest + 1) % Most;
        log(denial.ToString());
    }

    public void Close() => timers.Clear(this);

    protected internal override void Expire(long now)
    {
        log($"denied {_leftOut} more in the last minute, of other flows");
        _leftOut = 0;
    }
}
