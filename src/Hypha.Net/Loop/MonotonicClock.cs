using System.Diagnostics;

namespace Hypha.Net.Loop;

/// <summary>Microseconds that never go back (CLOCK_MONOTONIC).</summary>
public static class MonotonicClock
{
    public const long Millisecond = 1_000, Second = 1_000_000; // microseconds

    private static readonly double s_scale = 1e6 / Stopwatch.Frequency;

    public static long Now => Stopwatch.Frequency == 1_000_000_000
        ? Stopwatch.GetTimestamp() / 1000
        : (long)(Stopwatch.GetTimestamp() * s_scale);
}
