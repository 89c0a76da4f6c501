using System.CommandLine;
using System.Globalization;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Display;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl network create, list, inspect, connect, disconnect, rm</c>.</summary>
internal static class NetworkManageCommands
{
    public static IEnumerable<Command> Build() => [BuildCreate(), BuildList(), BuildInspect(), BuildConnect(), BuildDisconnect(), BuildRemove()];

    private static Command BuildCreate()
    {
        var name = new Argument<string>("NAME") { Description = "letters, digits, '_', '.' and '-'" };
        var subnet = new Option<string>("--subnet") { Description = "its IPv4 addresses, /8 to /29 (default the next free /24 of 10.76.0.0/14)", HelpName = "A/N" };
        var subnet6 = new Option<string>("--subnet6") { Description = "its IPv6 addresses, a /64 (default the next free one of fd75:1::/64, fd75:2::/64, ...)", HelpName = "A/N" };
        var isInternal = new Option<bool>("--internal") { Description = "without a way out: containers reach each other alone" };
        var command = new Command("create", "Makes a network. Prints its name.") { name, subnet, subnet6, isInternal };
        command.SetAction((result, cancellation) => Failures.Explained($"cannot make the network {result.GetValue(name)}", ExitCode.Failure, async () =>
        {
            using var connection = result.Connect();
            var request = new CreateNetworkRequest
            {
                Name = result.GetValue(name),
                Subnet = result.GetValue(subnet) ?? "",
                Subnet6 = result.GetValue(subnet6) ?? "",
                Internal = result.GetValue(isInternal),
            };
            var response = await connection.Client.CreateNetworkAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            StandardText.Out.WriteLine(response.Network.Name);
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, """
            hyphactl network create front
            hyphactl network create back --subnet 192.168.7.0/24 --internal
            """);
    }

    private static Command BuildList()
    {
        var quiet = new Option<bool>("--quiet", "-q") { Description = "names alone" };
        var output = OutputFormat.Option();
        var command = new Command("list", "Lists networks.") { quiet, output };
        command.Aliases.Add("ls");
        command.SetAction((result, cancellation) => Failures.Explained("cannot list networks", ExitCode.Failure, async () =>
        {
            using var connection = result.Connect();
            var response = await connection.Client.ListNetworksAsync(new ListNetworksRequest(), cancellationToken: cancellation).ConfigureAwait(false);
            if (result.GetValue(quiet))
            {
                foreach (var network in response.Networks)
                    StandardText.Out.WriteLine(network.Name);
            }
            else if (result.GetValue(output) == OutputFormat.Json)
            {
                Json.Print(response.Networks.Select(network => NetworkView.From(network, members: null)).ToArray(), JsonViews.Default.NetworkViewArray);
            }
            else
            {
                Print(response.Networks);
            }
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, "hyphactl network list --output json");
    }

    private static Command BuildInspect()
    {
        var name = NetworkArgument.One();
        var output = OutputFormat.Option();
        var command = new Command("inspect", "Shows a network and who is on it.") { name, output };
        command.SetAction((result, cancellation) => Failures.Explained($"cannot inspect the network {result.GetValue(name)}", ExitCode.Failure, async () =>
        {
            using var connection = result.Connect();
            var request = new InspectNetworkRequest { Network = result.GetValue(name) };
            var response = await connection.Client.InspectNetworkAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            if (result.GetValue(output) == OutputFormat.Json)
                Json.Print(NetworkView.From(response.Network, response.Network.Members), JsonViews.Default.NetworkView);
            else
                Print(response.Network);
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, """
            hyphactl network inspect default
            hyphactl network inspect back --output json | jq -r '.members[].address'
            """);
    }

    private static Command BuildRemove()
    {
        var names = NetworkArgument.Several();
        var command = new Command("rm", "Removes networks that no container has a place on.") { names };
        command.Aliases.Add("remove");
        command.SetAction(async (result, cancellation) =>
        {
            using var connection = result.Connect();
            return await ForEachContainer.RunAsync(result.GetValue(names)!, "remove the network", async name =>
            {
                await connection.Client.RemoveNetworkAsync(new RemoveNetworkRequest { Network = name }, cancellationToken: cancellation).ConfigureAwait(false);
                StandardText.Out.WriteLine(name);
            }).ConfigureAwait(false);
        });
        return HelpWithExamples.Add(command, "hyphactl network rm front back");
    }

    private static Command BuildConnect()
    {
        var name = NetworkArgument.One();
        var container = ContainerArgument.One();
        var ip = new Option<string>("--ip") { Description = "an IPv4 address on it (default the first that is free)", HelpName = "A" };
        var ip6 = new Option<string>("--ip6") { Description = "an IPv6 address on it", HelpName = "A" };
        var command = new Command("connect", "Connects a running container to a network, once it is on no other. Prints its addresses.") { name, container, ip, ip6 };
        command.SetAction((result, cancellation) => Failures.Explained($"cannot connect {result.GetValue(container)} to the network {result.GetValue(name)}", ExitCode.Failure, async () =>
        {
            using var connection = result.Connect();
            var request = new ConnectNetworkRequest
            {
                Network = result.GetValue(name),
                Container = result.GetValue(container),
                Ip = result.GetValue(ip) ?? "",
                Ip6 = result.GetValue(ip6) ?? "",
            };
            var response = await connection.Client.ConnectNetworkAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            StandardText.Out.WriteLine($"{response.Address} {response.Address6}");
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, "hyphactl network disconnect default web && hyphactl network connect front web");
    }

    private static Command BuildDisconnect()
    {
        var name = NetworkArgument.One();
        var container = ContainerArgument.One();
        var command = new Command("disconnect", "Takes a running container from a network: its link stays, without an address.") { name, container };
        command.SetAction((result, cancellation) => Failures.Explained($"cannot disconnect {result.GetValue(container)} from the network {result.GetValue(name)}", ExitCode.Failure, async () =>
        {
            using var connection = result.Connect();
            var request = new DisconnectNetworkRequest { Network = result.GetValue(name), Container = result.GetValue(container) };
            await connection.Client.DisconnectNetworkAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, "hyphactl network disconnect default web");
    }

    private static void Print(IEnumerable<Network> networks)
    {
        var table = new TextTable("NAME", "SUBNET", "SUBNET6", "WAY OUT", "CONTAINERS");
        foreach (var network in networks)
            table.Add(network.Name, network.Subnet, network.Subnet6, network.Internal ? "no" : "yes", network.Size.ToString(CultureInfo.InvariantCulture));
        table.Print();
    }

    private static void Print(Network network)
    {
        Line("name", network.Name);
        Line("subnets", $"{network.Subnet}, {network.Subnet6}");
        Line("gateways", $"{network.Gateway}, {network.Gateway6}");
        Line("way out", network.Internal ? "no" : "yes");
        if (UnixTime.OrNull(network.CreatedUnixMs) is { } created)
            Line("created", $"{Amounts.Span(DateTimeOffset.UtcNow - created)} ago");
        if (network.Members.Count == 0)
            return;
        StandardText.Out.WriteLine();
        var table = new TextTable("ID", "NAME", "ADDRESS", "ADDRESS6", "MAC", "STATUS");
        foreach (var member in network.Members)
            table.Add(ContainerTable.ShortId(member.Id), member.Name, member.Address, member.Address6, member.Mac, ContainerView.StateName(member.State));
        table.Print();

        static void Line(string name, string value) => StandardText.Out.WriteLine($"{name,-9} {value}");
    }
}
