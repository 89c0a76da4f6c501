using System.CommandLine;
using Hypha.Ctl.Connection;
using Hypha.Ctl.Display;

namespace Hypha.Ctl.CommandLine;

/// <summary>Words that the commands share that look at hyphanet.</summary>
internal static class NetworkOptions
{
    private const string Meaning = "a container's name, its interface, or its domain's number";

    public static Option<string> Control() => new("--control")
    {
        Description = "hyphanet's socket (default $HYPHA_NETWORK_SOCKET, or " + NetworkConnection.DefaultSocket + ")",
        HelpName = "PATH",
    };

    public static Argument<string> Guest()
    {
        var argument = new Argument<string>("NAME") { Description = Meaning, HelpName = "NAME" };
        argument.CompletionSources.Add(ContainerArgument.Names);
        return argument;
    }

    public static Argument<string[]> Guests()
    {
        var argument = new Argument<string[]>("NAME") { Description = Meaning + "; without it all", HelpName = "NAME", Arity = ArgumentArity.ZeroOrMore };
        argument.CompletionSources.Add(ContainerArgument.Names);
        return argument;
    }

    public static Option<bool> AsJson() => new("--json") { Description = "the same as --output json" };

    public static NetworkConnection ConnectNetwork(this ParseResult result, Option<string> control) => new(
        result.GetValue(control) is { Length: > 0 } given ? given
        : Environment.GetEnvironmentVariable("HYPHA_NETWORK_SOCKET") is { Length: > 0 } set ? set
        : NetworkConnection.DefaultSocket);

    public static bool IsJson(this ParseResult result, Option<string> output, Option<bool> json) =>
        result.GetValue(json) || result.GetValue(output) == OutputFormat.Json;
}
