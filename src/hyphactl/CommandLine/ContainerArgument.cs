using System.CommandLine;
using System.CommandLine.Completions;
using Grpc.Core;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.CommandLine;

/// <summary>The argument that names a container, and what completes it. It has a name for the help, which would show the completions else: a call to hyphad.</summary>
internal static class ContainerArgument
{
    private const string Meaning = "name, UUID, or the first digits of the UUID";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static Argument<string> One()
    {
        var argument = new Argument<string>("CONTAINER") { Description = Meaning, HelpName = "CONTAINER" };
        argument.CompletionSources.Add(Names);
        return argument;
    }

    public static Argument<string[]> Several(ArgumentArity arity)
    {
        var argument = new Argument<string[]>("CONTAINER") { Description = Meaning, Arity = arity, HelpName = "CONTAINER" };
        argument.CompletionSources.Add(Names);
        return argument;
    }

    /// <summary>Names, and the UUIDs of those that have none. Nothing where hyphad does not answer: a completion is no place for errors.</summary>
    public static IEnumerable<string> Names(CompletionContext context)
    {
        try
        {
            using var connection = context.ParseResult.Connect();
            var containers = connection.Client.List(new ListRequest { All = true }, deadline: DateTime.UtcNow + Patience).Containers;
            return [.. containers.Select(container => container.Name.Length > 0 ? container.Name : container.Id)];
        }
        catch (RpcException)
        {
            return [];
        }
    }
}
