using System.CommandLine;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl network</c>: the containers' networks.</summary>
internal static class NetworkCommand
{
    public static Command Build()
    {
        var command = new Command("network", "Shows what goes on in the containers' networks.");
        foreach (Command part in NetworkSightCommands.Build())
            command.Subcommands.Add(part);
        return command;
    }
}
