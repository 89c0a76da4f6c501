using Hypha.Net.Loop;

namespace Hypha.Net.Ip;

/// <summary>So much in a second, and a burst of so much at once.</summary>
/// <param name="rate">A second.</param>
/// <param name="burst">At most at once; full at first.</param>
public struct TokenBucket(long rate, long burst)
{
    // In millionths, so that a microsecond's part is a whole number.
    private long _tokens = burst * MonotonicClock.Second;
    private long _filledAt = long.MinValue;

    /// <returns>False when there are not so many: nothing is taken.</returns>
    public bool TryTake(long amount, long now)
    {
        Fill(now);
        long cost = amount * MonotonicClock.Second;
        if (_tokens < cost)
            return false;
        _tokens -= cost;
        return true;
    }

    /// <summary>Takes as many when there is one; those that are not there are owed.</summary>
    /// <param name="credit">So many may be owed already.</param>
    public bool TryOwe(long amount, long credit, long now)
    {
        Fill(now);
        if (_tokens + credit * MonotonicClock.Second <= 0)
            return false;
        _tokens -= amount * MonotonicClock.Second;
        return true;
    }

    private void Fill(long now)
    {
        if (_filledAt == long.MinValue)
            _filledAt = now;
        // Full after so long; more time than that gives no more, and overflows nothing.
        long elapsed = Math.Min(now - _filledAt, (burst * MonotonicClock.Second - _tokens) / Math.Max(rate, 1) + 1);
        _tokens = Math.Min(_tokens + elapsed * rate, burst * MonotonicClock.Second);
        _filledAt = now;
    }
}
