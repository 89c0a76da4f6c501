using System.CommandLine;
using System.CommandLine.Completions;
using Grpc.Core;
using Hypha.Ctl.Connection;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.CommandLine;

/// <summary>The argument that names a network, and what completes it.</summary>
internal static class NetworkArgument
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static Argument<string> One()
    {
        var argument = new Argument<string>("NAME") { Description = "the network's name", HelpName = "NAME" };
        argument.CompletionSources.Add(Names);
        return argument;
    }

    public static Argument<string[]> Several()
    {
        var argument = new Argument<string[]>("NAME") { Description = "the networks' names", Arity = ArgumentArity.OneOrMore, HelpName = "NAME" };
        argument.CompletionSources.Add(Names);
        return argument;
    }

    /// <summary>Nothing where hyphad does not answer: a completion is no place for errors.</summary>
    public static IEnumerable<string> Names(CompletionContext context)
    {
        try
        {
            using var connection = context.ParseResult.Connect();
            return [.. connection.Client.ListNetworks(new ListNetworksRequest(), deadline: DateTime.UtcNow + Patience).Networks.Select(network => network.Name)];
        }
        catch (RpcException)
        {
            return [];
        }
    }
}
