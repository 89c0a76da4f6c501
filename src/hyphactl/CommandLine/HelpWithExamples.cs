using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Hypha.Ctl.CommandLine;

/// <summary>The library's help page, followed by examples of the command.</summary>
internal sealed class HelpWithExamples(HelpAction page) : SynchronousCommandLineAction
{
    private static readonly Dictionary<Command, string> Examples = [];

    public override bool ClearsParseErrors => true;

    /// <summary>Gives a command its examples.</summary>
    public static T Add<T>(T command, string examples) where T : Command
    {
        Examples[command] = examples;
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
        page.Invoke(parseResult);
        if (Examples.TryGetValue(parseResult.CommandResult.Command, out string? examples))
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (string line in examples.TrimEnd().Split('\n'))
                output.WriteLine($"  {line}".TrimEnd());
            output.WriteLine();
        }
        return ExitCode.Ok;
    }
}
