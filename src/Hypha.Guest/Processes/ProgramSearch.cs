namespace Hypha.Guest.Processes;

/// <summary>Which files a command's name stands for.</summary>
public static class ProgramSearch
{
    /// <summary>Candidates in order: the name itself when it has a slash, else it in every directory of PATH.</summary>
    public static IEnumerable<string> Candidates(string name, IEnumerable<string> environment)
    {
        if (name.Contains('/'))
            return [name];
        if (name.Length == 0)
            return [];
        // As in a shell, the last of several assignments counts, and an empty directory is the working directory.
        string path = environment.LastOrDefault(variable => variable.StartsWith("PATH=", StringComparison.Ordinal)) ?? "PATH=";
        return path["PATH=".Length..].Split(':').Select(directory => directory.Length == 0 ? $"./{name}" : $"{directory}/{name}");
    }
}
