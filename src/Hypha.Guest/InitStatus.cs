namespace Hypha.Guest;

/// <summary>What the init itself costs its guest, from /proc/self: shown when debugging, and held against the budget by tests.</summary>
public static class InitStatus
{
    /// <summary>"resident 9000 KiB, 9100 KiB at most, 120 context switches, 6 threads"</summary>
    public static string Describe()
    {
        string status = File.ReadAllText("/proc/self/status");
        string[] threads = Directory.GetDirectories("/proc/self/task");
        long switches = threads.Sum(thread => SwitchesOf($"{thread}/status"));
        return $"resident {Field(status, "VmRSS:")} KiB, {Field(status, "VmHWM:")} KiB at most, {switches} context switches, {threads.Length} threads";
    }

    private static long SwitchesOf(string path)
    {
        try
        {
            string status = File.ReadAllText(path);
            return Field(status, "\nvoluntary_ctxt_switches:") + Field(status, "nonvoluntary_ctxt_switches:");
        }
        catch (IOException)
        {
            return 0; // the thread has just ended
        }
    }

    private static long Field(string status, string name)
    {
        int at = status.IndexOf(name, StringComparison.Ordinal);
        if (at < 0)
            return 0;
        ReadOnlySpan<char> rest = status.AsSpan(at + name.Length).TrimStart();
        int end = rest.IndexOfAnyExceptInRange('0', '9');
        return long.TryParse(end < 0 ? rest : rest[..end], out long value) ? value : 0;
    }
}
