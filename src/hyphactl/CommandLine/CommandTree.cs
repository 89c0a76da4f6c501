using System.CommandLine;
using Hypha.Ctl.Commands;
using Hypha.Ctl.Connection;

namespace Hypha.Ctl.CommandLine;

/// <summary>All commands, and the options that each of them knows.</summary>
internal static class CommandTree
{
    private static readonly Option<string> Socket = new("--socket")
    {
        Description = "hyphad's control socket (default $HYPHA_SOCKET, or " + ControlConnection.DefaultSocket + ")",
        HelpName = "PATH",
        Recursive = true,
    };

    private static readonly Option<bool> Debug = new("--debug")
    {
        Description = "show what lies behind an error; with launch, the guest's init says what it does on its console",
        Recursive = true,
    };

    public static RootCommand Build()
    {
        var root = new RootCommand("Runs OCI containers as Xen guests.")
        {
            Socket,
            Debug,
            LaunchCommand.Build(),
            ListCommand.Build(),
            InspectCommand.Build(),
            AttachCommand.Build(),
            ConsoleCommand.Build(),
            LogsCommand.Build(),
            WaitCommand.Build(),
            KillCommand.Build(),
            DestroyCommand.Build(),
            ForwardCommand.Build(),
            ImageCommand.Build(),
            NetworkCommand.Build(),
            HostCommand.Build(),
            VersionCommand.Build(),
            CompletionCommand.Build(),
        };
        HelpWithExamples.Add(root, """
            hyphactl launch --attach debian:12            a shell in a new guest
            hyphactl launch --name web -m 1G nginx        a service; prints its UUID
            hyphactl list -a                              what runs, and what has ended
            hyphactl destroy web
            hyphactl host check                           what this host lacks
            """);
        HelpWithExamples.Install(root);
        return root;
    }

    public static bool IsDebug(ParseResult result) => result.GetValue(Debug);

    /// <summary>The client of the daemon that the command line, or the environment, names.</summary>
    public static ControlConnection Connect(this ParseResult result) => new(SocketPath(result));

    public static string SocketPath(ParseResult result) =>
        result.GetValue(Socket) is { Length: > 0 } given ? given
        : Environment.GetEnvironmentVariable("HYPHA_SOCKET") is { Length: > 0 } set ? set
        : ControlConnection.DefaultSocket;
}
