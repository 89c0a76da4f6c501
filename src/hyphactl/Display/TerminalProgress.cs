using System.Text;
using Hypha.Linux;
using Hypha.Protocol.Control;
using Spectre.Console;
using Spectre.Console.Rendering;
using Progress = Hypha.Protocol.Control.Progress;

namespace Hypha.Ctl.Display;

/// <summary>Progress for a person: a bar a step, with bytes and rate. What is over in a moment never shows.</summary>
internal sealed class TerminalProgress : ProgressDisplay
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly List<Progress> _steps = []; // in the order in which they began; the last is under way
    private readonly CancellationTokenSource _ended = new();
    private Task? _drawing; // begins with the first report

    public override void Report(Progress progress)
    {
        lock (_gate)
        {
            _drawing ??= DrawAsync();
            int at = _steps.FindIndex(step => step.Step == progress.Step);
            if (at < 0)
                _steps.Add(progress);
            else
                _steps[at] = progress;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        if (_drawing is not null)
            await _drawing.ConfigureAwait(false);
    }

    private async Task DrawAsync()
    {
        if (!await Pause(Grace).ConfigureAwait(false))
            return;
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new TerminalOutput() });
        await console.Progress()
            .AutoClear(true)
            .ExcludeVerticalPadding()
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new AmountColumn())
            .StartAsync(async context =>
            {
                var tasks = new Dictionary<string, ProgressTask>(StringComparer.Ordinal);
                do
                    Update(context, tasks);
                while (await Pause(Frame).ConfigureAwait(false));
            }).ConfigureAwait(false);
    }

    private void Update(ProgressContext context, Dictionary<string, ProgressTask> tasks)
    {
        lock (_gate)
        {
            for (int i = 0; i < _steps.Count; i++)
            {
                var step = _steps[i];
                if (!tasks.TryGetValue(step.Step, out var task))
                    tasks.Add(step.Step, task = context.AddTask(step.Step));
                bool over = i < _steps.Count - 1 && step.Done >= step.Total;
                // Details come from registries by way of hyphad: text, never markup.
                task.Description = Markup.Escape($"{step.Step} {step.Detail}".TrimEnd());
                task.IsIndeterminate = step.Total == 0 && !over;
                task.MaxValue = Math.Max(step.Total, 1);
                task.Value = over ? task.MaxValue : Math.Min(step.Done, step.Total);
                task.Tag = LineProgress.Amount(step);
            }
        }
    }

    /// <returns>False when the operation has ended.</returns>
    private async Task<bool> Pause(TimeSpan time)
    {
        await Task.Delay(time, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !_ended.IsCancellationRequested;
    }

    private sealed class AmountColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
        {
            string amount = task.Tag as string ?? "";
            string rate = amount.Length > 0 && !task.IsFinished && task.Speed is { } speed ? $", {Amounts.Bytes(speed)}/s" : "";
            return new Text(amount + rate);
        }
    }

    /// <summary>Standard error, as Spectre.Console wants it described.</summary>
    private sealed class TerminalOutput : IAnsiConsoleOutput
    {
        public TextWriter Writer => StandardText.Error;

        public bool IsTerminal => true;

        public int Width => Terminal.Size(StandardStream.Error)?.Columns ?? 80;

        public int Height => Terminal.Size(StandardStream.Error)?.Rows ?? 24;

        public void SetEncoding(Encoding encoding)
        {
        }
    }
}
