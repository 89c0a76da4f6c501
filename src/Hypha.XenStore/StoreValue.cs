using System.Globalization;

namespace Hypha.XenStore;

/// <summary>Reads numbers that somebody else, perhaps a guest, wrote: digits alone, within a range, or nothing.</summary>
public static class StoreValue
{
    private const int MaximumDigits = 19; // 2^63 has no more

    /// <summary>A decimal number. No sign, no blank, nothing behind it.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, long minimum, long maximum, out long value)
    {
        value = 0;
        return text.Length is > 0 and <= MaximumDigits && !text.ContainsAnyExceptInRange('0', '9')
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= minimum && value <= maximum;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, long, long, out long)"/>
    /// <param name="text">Null (the node is not there) is no number.</param>
    public static bool TryParse(string? text, int minimum, int maximum, out int value)
    {
        bool good = TryParse(text.AsSpan(), minimum, maximum, out long wide);
        value = good ? (int)wide : 0;
        return good;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, long, long, out long)"/>
    public static bool TryParse(string? text, uint minimum, uint maximum, out uint value)
    {
        bool good = TryParse(text.AsSpan(), minimum, maximum, out long wide);
        value = good ? (uint)wide : 0;
        return good;
    }

    /// <summary>Text from a guest, fit for a log or a terminal: cut, and without control characters.</summary>
    public static string Printable(string text, int maximum = 200)
    {
        string shown = text.Length <= maximum ? text : text[..maximum] + "…";
        return string.Create(shown.Length, shown, static (to, from) =>
        {
            for (int i = 0; i < from.Length; i++)
                to[i] = char.IsControl(from[i]) || char.IsSurrogate(from[i]) ? '?' : from[i];
        });
    }
}
