using Hypha.Linux;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Display;

/// <summary>Shows how far an operation is, on standard error; gone without a trace once it is disposed, on a terminal.</summary>
internal abstract class ProgressDisplay : IAsyncDisposable
{
    /// <summary>Bars on a terminal, a line now and then elsewhere, nothing when <paramref name="quiet"/>.</summary>
    public static ProgressDisplay OnStandardError(bool quiet) =>
        quiet ? new NoProgress()
        : Terminal.Is(StandardStream.Error) ? new TerminalProgress()
        : new LineProgress(StandardText.Error, TimeProvider.System);

    public abstract void Report(Progress progress);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class NoProgress : ProgressDisplay
    {
        public override void Report(Progress progress)
        {
        }
    }
}
