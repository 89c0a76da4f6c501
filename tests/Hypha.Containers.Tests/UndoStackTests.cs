namespace Hypha.Containers.Tests;

public sealed class UndoStackTests
{
    private readonly List<string> _log = [];

    [Fact]
    public async Task Undoes_run_in_reverse_and_all_of_them_even_when_one_fails()
    {
        await using (var undo = new UndoStack((what, error) => _log.Add($"{what}: {error.Message}")))
        {
            undo.Push("first", () => _log.Add("first"));
            undo.Push("second", () => throw new IOException("no"));
            undo.Push("third", () => _log.Add("third"));
        }
        Assert.Equal(["third", "second: no", "first"], _log);
    }

    [Fact]
    public async Task A_committed_stack_undoes_nothing()
    {
        await using (var undo = new UndoStack((_, _) => { }))
        {
            undo.Push("first", () => _log.Add("first"));
            undo.Commit();
        }
        Assert.Empty(_log);
    }
}
