using Hypha.Linux;
using Spectre.Console;

namespace Hypha.Ctl.Display;

/// <summary>Columns with a header and no lines around them: for eyes, and for awk.</summary>
internal sealed class TextTable
{
    // Without a terminal no line is broken or cut.
    private const int Unlimited = 16_384;

    private readonly Table _table = new() { Border = TableBorder.None };

    public TextTable(params ReadOnlySpan<string> columns)
    {
        foreach (string column in columns)
            _table.AddColumn(new TableColumn(new Text(column)) { NoWrap = true, Padding = new Padding(0, 0, 3, 0) });
    }

    public void Add(params ReadOnlySpan<string> cells)
    {
        var row = new Text[cells.Length];
        for (int i = 0; i < cells.Length; i++)
            row[i] = new Text(Plain(cells[i])) { Overflow = Overflow.Ellipsis };
        _table.AddRow(row);
    }

    public void Print(StandardStream stream = StandardStream.Output)
    {
        var writer = stream == StandardStream.Error ? StandardText.Error : StandardText.Out;
        var text = new StringWriter { NewLine = "\n" };
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = Terminal.Size(stream)?.Columns ?? Unlimited;
        console.Write(_table);
        foreach (string line in text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries))
            writer.WriteLine(line.TrimEnd());
    }

    /// <summary>A cell is one line, whatever a container's command or name holds.</summary>
    private static string Plain(string text) =>
        text.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0 && !text.Any(char.IsControl) ? text : string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
