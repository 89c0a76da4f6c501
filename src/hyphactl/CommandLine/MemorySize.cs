using System.Globalization;

namespace Hypha.Ctl.CommandLine;

/// <summary>The argument of <c>-m</c>: MiB as a plain number, or a number with K, M, G or T (binary, in any case, with or without "iB" or "B").</summary>
internal static class MemorySize
{
    /// <returns>False when <paramref name="text"/> is no size, or no whole number of MiB.</returns>
    public static bool TryParse(string text, out ulong mebibytes)
    {
        mebibytes = 0;
        int digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9') is var at and >= 0 ? at : text.Length;
        if (!ulong.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out ulong number))
            return false;
        ulong? kibibytes = text[digits..].ToLowerInvariant() switch
        {
            "" or "m" or "mb" or "mib" => 1024,
            "k" or "kb" or "kib" => 1,
            "g" or "gb" or "gib" => 1024 * 1024,
            "t" or "tb" or "tib" => 1024 * 1024 * 1024,
            _ => null,
        };
        if (kibibytes is not { } unit || number == 0 || number > ulong.MaxValue / unit || number * unit % 1024 != 0)
            return false;
        mebibytes = number * unit / 1024;
        return true;
    }
}
