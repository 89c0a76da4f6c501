using System.Globalization;
using System.Text;

namespace Hypha.Oci;

/// <summary>Text of strangers for a terminal or a log: quoted, control characters and bad UTF-8 as escapes, bounded.</summary>
public static class Printable
{
    private const int Limit = 300; // characters; a path that is longer keeps its beginning and end

    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (Rune rune in text.EnumerateRunes())
            AppendRune(quoted, rune);
        return Bound(quoted.Append('"'));
    }

    /// <summary>Bytes that are most likely UTF-8, such as a file name. What is not becomes <c>\xNN</c>.</summary>
    public static string Quote(ReadOnlySpan<byte> bytes)
    {
        var quoted = new StringBuilder("\"");
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done)
                AppendRune(quoted, rune);
            else
            {
                foreach (byte b in bytes[..consumed])
                    quoted.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
            }
            bytes = bytes[consumed..];
        }
        return Bound(quoted.Append('"'));
    }

    private static void AppendRune(StringBuilder quoted, Rune rune)
    {
        switch (rune.Value)
        {
            case '"' or '\\': quoted.Append('\\').Append((char)rune.Value); break;
            case '\n': quoted.Append("\\n"); break;
            case '\t': quoted.Append("\\t"); break;
            default:
                // Format and private-use characters can reorder or hide what a terminal shows.
                if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
                    or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
                    or UnicodeCategory.ParagraphSeparator)
                    quoted.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
                else
                    quoted.Append(rune.ToString());
                break;
        }
    }

    private static string Bound(StringBuilder text) => text.Length <= Limit
        ? text.ToString()
        : string.Concat(text.ToString(0, Limit / 2), "…", text.ToString(text.Length - Limit / 2, Limit / 2));
}
