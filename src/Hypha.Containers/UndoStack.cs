namespace Hypha.Containers;

/// <summary>
/// What an operation acquired, with how to give it back. Unless <see cref="Commit"/> was called, disposing runs the
/// undoes in reverse order, all of them, whatever any of them throws.
/// </summary>
public sealed class UndoStack(Action<string, Exception> failed) : IAsyncDisposable
{
    private readonly Stack<(string What, Func<ValueTask> Undo)> _steps = new();

    /// <param name="what">For the log, should the undo itself fail: "destroying domain 7".</param>
    /// <param name="undo">Gives back what the step acquired.</param>
    public void Push(string what, Func<ValueTask> undo) => _steps.Push((what, undo));

    public void Push(string what, Action undo) => Push(what, () =>
    {
        undo();
        return ValueTask.CompletedTask;
    });

    /// <summary>The operation succeeded: everything is kept.</summary>
    public void Commit() => _steps.Clear();

    public async ValueTask DisposeAsync()
    {
        while (_steps.TryPop(out var step))
        {
            try
            {
                await step.Undo().ConfigureAwait(false);
            }
            catch (Exception error) // the remaining undoes must run; the caller's own failure is what the person sees
            {
                failed(step.What, error);
            }
        }
    }
}
