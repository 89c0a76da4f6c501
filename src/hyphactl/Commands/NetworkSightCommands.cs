using System.CommandLine;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Connection;
using Hypha.Ctl.Display;
using Hypha.Protocol.Network;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl network stats|flows|top|capture</c>: what hyphanet does for the containers.</summary>
internal static class NetworkSightCommands
{
    public static IEnumerable<Command> Build() => [BuildStats(), BuildFlows(), NetworkTop.Build(), NetworkCapture.Build()];

    private static Command BuildStats()
    {
        var names = NetworkOptions.Guests();
        var output = OutputFormat.Option();
        var json = NetworkOptions.AsJson();
        var control = NetworkOptions.Control();
        var command = new Command("stats", "Prints what became of containers' frames, and how many flows they have.") { names, output, json, control };
        command.SetAction((result, cancellation) => Failures.Explained("cannot look at the network", ExitCode.Failure, async () =>
        {
            using NetworkConnection connection = result.ConnectNetwork(control);
            var guests = await GuestsAsync(connection, result.GetValue(names)!, cancellation).ConfigureAwait(false);
            if (result.IsJson(output, json))
                Json.Print(guests.Select(NetworkGuestView.From).ToArray(), JsonViews.Default.NetworkGuestViewArray);
            else
                NetworkTables.PrintStatistics(guests);
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, """
            hyphactl network stats
            hyphactl network stats web --output json
            """);
    }

    private static Command BuildFlows()
    {
        var names = NetworkOptions.Guests();
        var output = OutputFormat.Option();
        var json = NetworkOptions.AsJson();
        var control = NetworkOptions.Control();
        var command = new Command("flows", "Prints containers' connections, mappings and pings that are under way.") { names, output, json, control };
        command.SetAction((result, cancellation) => Failures.Explained("cannot look at the network's flows", ExitCode.Failure, async () =>
        {
            using NetworkConnection connection = result.ConnectNetwork(control);
            string[] of = result.GetValue(names)!;
            var guests = await GuestsAsync(connection, of, cancellation).ConfigureAwait(false);
            var callings = guests.ToDictionary(guest => guest.Interface, NetworkTables.NameOf, StringComparer.Ordinal);
            var flows = new List<FlowInfo>();
            FlowsResponse page;
            do
            {
                page = await connection.CallAsync("Flows", new FlowsRequest { Names = { of }, Offset = (uint)flows.Count }, FlowsResponse.Parser, cancellation).ConfigureAwait(false);
                flows.AddRange(page.Flows);
            }
            while (page.Flows.Count > 0 && flows.Count < page.Total);
            var sorted = flows.OrderBy(flow => flow.Interface, StringComparer.Ordinal).ThenBy(flow => flow.AgeMs);
            if (result.IsJson(output, json))
                Json.Print(sorted.Select(flow => FlowView.From(flow, callings)).ToArray(), JsonViews.Default.FlowViewArray);
            else
                NetworkTables.PrintFlows(sorted, callings);
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, """
            hyphactl network flows
            hyphactl network flows web --json
            """);
    }

    public static async Task<IReadOnlyList<GuestInfo>> GuestsAsync(NetworkConnection connection, string[] names, CancellationToken cancellation) =>
        (await connection.CallAsync("Guests", new GuestsRequest { Names = { names } }, GuestsResponse.Parser, cancellation).ConfigureAwait(false)).Guests;
}
