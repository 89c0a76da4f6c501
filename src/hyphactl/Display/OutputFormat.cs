using System.CommandLine;

namespace Hypha.Ctl.Display;

/// <summary>The option <c>--output table|json</c> of whatever lists.</summary>
internal static class OutputFormat
{
    public const string Table = "table";
    public const string Json = "json";

    public static Option<string> Option(string shortForm = "-o")
    {
        var option = new Option<string>("--output", shortForm)
        {
            Description = "how to print",
            HelpName = "table|json",
            DefaultValueFactory = _ => Table,
        };
        option.AcceptOnlyFromAmong(Table, Json);
        return option;
    }
}
