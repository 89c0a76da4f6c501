using System.Diagnostics;

namespace Hypha.Oci.Layers;

/// <summary>Turns what many threads do into a few reports a second.</summary>
internal sealed class ProgressMeter(IProgress<ImageProgress>? progress)
{
    private static readonly long s_interval = Stopwatch.Frequency / 5;

    private ImageStep _step;
    private string _detail = "";
    private long _done, _total, _last;

    internal void Begin(ImageStep step, string detail, long total)
    {
        (_step, _detail, _total) = (step, detail, total);
        Interlocked.Exchange(ref _done, 0);
        Report();
    }

    internal void Add(long count)
    {
        Interlocked.Add(ref _done, count);
        ReportNowAndThen();
    }

    internal void Set(long done, long total)
    {
        Interlocked.Exchange(ref _total, total);
        Interlocked.Exchange(ref _done, done);
        ReportNowAndThen();
    }

    internal void Report() => progress?.Report(new ImageProgress(_step, _detail, Interlocked.Read(ref _done), _total));

    private void ReportNowAndThen()
    {
        long now = Stopwatch.GetTimestamp(), last = Interlocked.Read(ref _last);
        if (now - last >= s_interval && Interlocked.CompareExchange(ref _last, now, last) == last)
            Report();
    }
}
