using Hypha.Protocol.Control;

namespace Hypha.Ctl.Display;

/// <summary>
/// Progress for a log: a line at a step's start and then at most one each few seconds, and none at all of what is over
/// quickly, so that a script that reads standard error finds the container's words there alone.
/// </summary>
internal sealed class LineProgress(TextWriter output, TimeProvider time) : ProgressDisplay
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly long _start = time.GetTimestamp();
    private string _step = "";
    private string _printed = "";
    private long _last;

    public override void Report(Progress progress)
    {
        long now = time.GetTimestamp();
        bool changed = progress.Step != _step;
        _step = progress.Step;
        // Making the guest moves no bytes worth a line.
        if (progress.Done == 0 && progress.Total == 0 || time.GetElapsedTime(_start, now) < Grace)
            return;
        if (!changed && _printed == _step && time.GetElapsedTime(_last, now) < Interval)
            return;
        (_printed, _last) = (_step, now);
        output.WriteLine(Sentence(progress));
    }

    /// <summary>"download nginx:1.27: 12.0 MiB of 40.3 MiB".</summary>
    public static string Sentence(Progress progress)
    {
        string what = progress.Detail.Length > 0 ? $"{progress.Step} {progress.Detail}" : progress.Step;
        return Amount(progress) is { Length: > 0 } amount ? $"{what}: {amount}" : what;
    }

    public static string Amount(Progress progress) => progress switch
    {
        { Total: > 0 } => $"{Amounts.Bytes(progress.Done)} of {Amounts.Bytes(progress.Total)}",
        { Done: > 0 } => Amounts.Bytes(progress.Done),
        _ => "",
    };
}
