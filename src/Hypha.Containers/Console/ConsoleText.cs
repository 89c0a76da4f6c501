using System.Text;
using System.Text.RegularExpressions;

namespace Hypha.Containers.Console;

/// <summary>The end of a console's log as text for a person: what a guest printed cannot move or colour his terminal.</summary>
public static partial class ConsoleText
{
    private const int LongestLine = 300;
    private const int BytesPerLine = 400;

    /// <summary>The last lines, without control characters and terminal sequences.</summary>
    public static string Tail(this BoundedLog log, int lines)
    {
        var bytes = new byte[lines * BytesPerLine];
        long offset = Math.Max(log.Start, log.End - bytes.Length);
        int filled = 0, count;
        while (filled < bytes.Length && (count = log.Read(ref offset, bytes.AsSpan(filled))) > 0)
            filled += count;
        return Tail(bytes.AsSpan(0, filled), lines);
    }

    internal static string Tail(ReadOnlySpan<byte> bytes, int lines)
    {
        string text = TerminalSequence().Replace(Encoding.UTF8.GetString(bytes), "");
        var clean = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            if (c == '\n' || !char.IsControl(c))
                clean.Append(c);
            else if (c == '\t')
                clean.Append(' ');
        }
        string[] kept = [.. clean.ToString().Split('\n').Where(line => line.Trim().Length > 0)];
        return string.Join('\n', kept.TakeLast(lines).Select(line => line.Length <= LongestLine ? line.TrimEnd() : line[..LongestLine] + "…"));
    }

    // ECMA-48: CSI (ESC [ parameters, intermediates, final), OSC (ESC ] to BEL or ST), and two-byte escapes.
    [GeneratedRegex(@"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)?|\x1b[@-_]")]
    private static partial Regex TerminalSequence();
}
