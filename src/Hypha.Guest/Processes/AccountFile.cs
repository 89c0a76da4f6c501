namespace Hypha.Guest.Processes;

/// <summary>/etc/passwd and /etc/group as an image brings them: lines that make no sense are passed over, as docker does.</summary>
public static class AccountFile
{
    public static IEnumerable<PasswdEntry> Passwd(string text)
    {
        foreach (string[] fields in Lines(text))
            if (fields.Length >= 6 && AccountId.TryParse(fields[2], out uint uid) && AccountId.TryParse(fields[3], out uint gid))
                yield return new PasswdEntry(fields[0], uid, gid, fields[5]);
    }

    public static IEnumerable<GroupEntry> Group(string text)
    {
        foreach (string[] fields in Lines(text))
            if (fields.Length >= 3 && AccountId.TryParse(fields[2], out uint gid))
                yield return new GroupEntry(fields[0], gid, fields.Length > 3 ? fields[3].Split(',', StringSplitOptions.RemoveEmptyEntries) : []);
    }

    private static IEnumerable<string[]> Lines(string text) =>
        from line in text.Split('\n')
        let trimmed = line.Trim()
        where trimmed.Length > 0 && trimmed[0] != '#'
        select trimmed.Split(':');
}

public readonly record struct PasswdEntry(string Name, uint Uid, uint Gid, string Home);

public readonly record struct GroupEntry(string Name, uint Gid, string[] Members);

public static class AccountId
{
    /// <summary>A user's or group's number: digits, below 2^31 (CVE-2024-40635: a greater one wrapped to root).</summary>
    public static bool TryParse(string text, out uint id) =>
        uint.TryParse(text, System.Globalization.NumberStyles.None, null, out id) && id <= int.MaxValue;
}
