using System.CommandLine;
using Hypha.Ctl.Display;

namespace Hypha.Ctl.CommandLine;

/// <summary>What is wrong with a command line, said once, with the place to look.</summary>
internal static class UsageErrors
{
    /// <returns>The exit status, or null when the command line is in order.</returns>
    public static int? Report(ParseResult result)
    {
        // Help and completion answer whatever else the line says.
        if (result.Errors.Count == 0 || result.Action is { ClearsParseErrors: true })
            return null;

        string command = FullName(result);
        if (result.CommandResult.Command.Subcommands.Count > 0 && result.UnmatchedTokens.Count == 0)
        {
            HelpWithExamples.WriteTo(result, StandardText.Error);
            return ExitCode.Usage;
        }
        foreach (string message in result.Errors.Select(error => error.Message).Distinct())
            Failures.Say(message.TrimEnd('.'));
        StandardText.Error.WriteLine($"See: {command} --help");
        return ExitCode.Usage;
    }

    private static string FullName(ParseResult result)
    {
        var names = new Stack<string>();
        for (var at = result.CommandResult; at is not null; at = at.Parent as System.CommandLine.Parsing.CommandResult)
            names.Push(at.Command is RootCommand ? "hyphactl" : at.Command.Name);
        return string.Join(' ', names);
    }
}
