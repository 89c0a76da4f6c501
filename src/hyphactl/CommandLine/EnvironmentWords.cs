namespace Hypha.Ctl.CommandLine;

/// <summary>The container's environment from <c>-e</c> and <c>--env-file</c>, by docker's rules.</summary>
internal static class EnvironmentWords
{
    /// <summary>Lines of the files first, then the words; <c>K</c> alone takes the client's value and is left out where it has none.</summary>
    /// <exception cref="CommandFailure">A word without a name, or a file that cannot be read.</exception>
    public static IEnumerable<string> Collect(IEnumerable<string> files, IEnumerable<string> words, Func<string, string?> clientValue)
    {
        foreach (string file in files)
        {
            int number = 0;
            foreach (string raw in ReadLines(file))
            {
                number++;
                string line = raw.TrimStart();
                if (line.Length == 0 || line[0] == '#')
                    continue;
                if (Resolve(line, clientValue, $"{file}, line {number}") is { } entry)
                    yield return entry;
            }
        }
        foreach (string word in words)
        {
            if (Resolve(word, clientValue, "-e") is { } entry)
                yield return entry;
        }
    }

    private static string? Resolve(string word, Func<string, string?> clientValue, string where)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        if (equals == 0 || word.Length == 0)
            throw new CommandFailure($"{where}: \"{word}\" has no name before the \"=\"; it takes K=V, or K for the value of your own environment.", ExitCode.Usage);
        if (equals > 0)
            return word;
        return clientValue(word) is { } value ? $"{word}={value}" : null;
    }

    private static string[] ReadLines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"cannot read --env-file {file}: {error.Message}", ExitCode.Usage, error);
        }
    }
}
