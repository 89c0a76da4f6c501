namespace Hypha.Net.Loop;

/// <summary>
/// How long one guest may keep the loop before the others have their turn. A frame costs a microsecond or, where it opens a socket, twenty times
/// that: so the share is of time, not of frames.
/// </summary>
/// <param name="length">In microseconds, from now on.</param>
internal readonly struct TurnShare(long length)
{
    public static readonly TurnShare Endless = new(long.MaxValue / 2);

    private readonly long _end = MonotonicClock.Now + length;

    public long Length => length;

    public bool IsOver => MonotonicClock.Now >= _end;
}

/// <summary>
/// Shares of one loop's turns, the smaller the more guests have something to say: one alone gains from long turns, and a neighbour of it waits as
/// long as a turn lasts.
/// </summary>
internal sealed class TurnShares
{
    public const long Longest = 200, Shortest = 25; // microseconds

    private const long Window = 100 * MonotonicClock.Millisecond;

    private long _window;
    private int _active, _activeBefore;

    /// <param name="seen">The guest's own, of this object alone: when it was counted last.</param>
    public TurnShare Begin(ref long seen, long now)
    {
        long window = now / Window + 1;
        if (window != _window)
            (_activeBefore, _active, _window) = (window == _window + 1 ? _active : 0, 0, window);
        if (seen != window)
        {
            seen = window;
            _active++;
        }
        return Begin();
    }

    /// <summary>For work of a guest that is counted elsewhere.</summary>
    public TurnShare Begin() => new(Math.Max(Longest / Math.Max(1, Math.Max(_active, _activeBefore)), Shortest));
}
