namespace Hypha.Containers.Launch;

/// <summary>What is being done right now, for a person.</summary>
/// <param name="Step">"resolve", "download", "pack", "kernel", "build", "start".</param>
/// <param name="Done">Bytes, 0 when unknown.</param>
/// <param name="Total">Bytes, 0 when unknown.</param>
public readonly record struct LaunchProgress(string Step, string Detail, long Done = 0, long Total = 0);

/// <summary>A started container, and where the time of its launch went.</summary>
public sealed record LaunchResult(Life.Container Container, IReadOnlyList<LaunchPhase> Phases);

public readonly record struct LaunchPhase(string Name, TimeSpan Duration);

/// <summary>Measures the phases of a launch, one after the other.</summary>
internal sealed class PhaseClock
{
    private readonly List<LaunchPhase> _phases = [];
    private long _last = System.Diagnostics.Stopwatch.GetTimestamp();

    public IReadOnlyList<LaunchPhase> Phases => _phases;

    /// <summary>Ends the phase that began with the one before.</summary>
    public void Mark(string name)
    {
        long now = System.Diagnostics.Stopwatch.GetTimestamp();
        _phases.Add(new LaunchPhase(name, System.Diagnostics.Stopwatch.GetElapsedTime(_last, now)));
        _last = now;
    }
}
