using System.CommandLine;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl network</c>: the networks of this host, and what goes on in them.</summary>
internal static class NetworkCommand
{
    public static Command Build()
    {
        var command = new Command("network", "Makes, lists and removes networks, and shows what goes on in them.");
        foreach (Command part in (Command[])[.. NetworkManageCommands.Build(), .. NetworkSightCommands.Build()])
            command.Subcommands.Add(part);
        return command;
    }
}
