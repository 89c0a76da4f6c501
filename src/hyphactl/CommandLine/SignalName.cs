using System.Globalization;

namespace Hypha.Ctl.CommandLine;

/// <summary>Signals by name or number, Linux x86-64 (signal(7)).</summary>
internal static class SignalName
{
    // In the order of their numbers, from 1.
    private static readonly string[] Names =
    [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
        "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    public static IEnumerable<string> All => Names;

    /// <summary>"TERM", "SIGTERM", "term" or "15".</summary>
    public static bool TryParse(string text, out uint signal)
    {
        if (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out signal))
            return signal is >= 1 and <= 64;
        string name = text.StartsWith("SIG", StringComparison.OrdinalIgnoreCase) ? text[3..] : text;
        signal = (uint)(Array.FindIndex(Names, known => known.Equals(name, StringComparison.OrdinalIgnoreCase)) + 1);
        return signal != 0;
    }
}
