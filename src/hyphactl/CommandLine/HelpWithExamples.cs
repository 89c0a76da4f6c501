using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Hypha.Ctl.CommandLine;

/// <summary>The library's help page, followed by examples of the command.</summary>
internal sealed class HelpWithExamples(HelpAction page) : SynchronousCommandLineAction
{
    private static readonly Dictionary<Command, (string Examples, string? Usage)> Pages = [];

    public override bool ClearsParseErrors => true;

    /// <summary>Gives a command its examples and, where the library's line would mislead, its usage.</summary>
    public static Command Add(Command command, string examples, string? usage = null)
    {
        Pages[command] = (examples, usage);
        return command;
    }

    /// <summary>Makes every command of the tree answer <c>--help</c> so.</summary>
    public static void Install(RootCommand root)
    {
        foreach (var option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction page })
                option.Action = new HelpWithExamples(page);
        }
    }

    /// <summary>Writes the page of the command that was named, where its help was not asked for.</summary>
    public static void WriteTo(ParseResult result, TextWriter output)
    {
        result.InvocationConfiguration.Output = output;
        new HelpWithExamples(new HelpAction()).Invoke(result);
    }

    public override int Invoke(ParseResult parseResult)
    {
        var configuration = parseResult.InvocationConfiguration;
        var output = configuration.Output;
        using var written = new StringWriter();
        configuration.Output = written;
        page.Invoke(parseResult);
        configuration.Output = output;

        bool known = Pages.TryGetValue(parseResult.CommandResult.Command, out var more);
        output.Write(known && more.Usage is not null ? WithUsage(written.ToString(), more.Usage) : written.ToString());
        if (known)
        {
            output.WriteLine("Examples:");
            foreach (string line in more.Examples.TrimEnd().Split('\n'))
                output.WriteLine($"  {line}".TrimEnd());
        }
        return ExitCode.Ok;
    }

    private static string WithUsage(string page, string usage)
    {
        string[] lines = page.Split('\n');
        int at = Array.FindIndex(lines, line => line.StartsWith("Usage:", StringComparison.Ordinal));
        if (at >= 0 && at + 1 < lines.Length)
            lines[at + 1] = $"  {usage}";
        return string.Join('\n', lines);
    }
}
