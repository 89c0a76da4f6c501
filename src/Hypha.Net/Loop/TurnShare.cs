namespace Hypha.Net.Loop;

/// <summary>
/// How long one guest may keep the loop before the others have their turn. A frame costs a microsecond or, where it opens a socket, twenty times
/// that: so the share is of time, not of frames.
/// </summary>
internal readonly struct TurnShare
{
    public const long Longest = 200; // microseconds

    private readonly long _end;

    private TurnShare(long end) => _end = end;

    public static TurnShare Begin() => new(MonotonicClock.Now + Longest);

    public bool IsOver => MonotonicClock.Now >= _end;
}
