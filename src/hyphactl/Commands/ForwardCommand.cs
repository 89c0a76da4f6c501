using System.CommandLine;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Connection;
using Hypha.Ctl.Display;
using Hypha.Protocol.Network;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl forward</c>: ports of the host that lead to a container's while the command runs.</summary>
internal static class ForwardCommand
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    public static Command Build()
    {
        var name = NetworkOptions.Guest();
        var ports = new Argument<string[]>("PORTS") { Description = "[IP:]HOST:GUEST, either a port or a range; without IP the host's loopback", HelpName = "PORTS", Arity = ArgumentArity.OneOrMore };
        var control = NetworkOptions.Control();
        var command = new Command("forward", "Leads ports of the host to a container's, by TCP, until Ctrl+C.") { name, ports, control };
        command.SetAction(async result =>
        {
            using var interruption = new Interruption();
            return await Failures.Explained("cannot forward", ExitCode.Failure, async () =>
            {
                using NetworkConnection connection = result.ConnectNetwork(control);
                string guest = result.GetValue(name)!;
                await connection.CallAsync("Forward", new ForwardRequest { Name = guest, Ports = { result.GetValue(ports) } }, ForwardResponse.Parser).ConfigureAwait(false);
                foreach (string port in result.GetValue(ports)!)
                    StandardText.Out.WriteLine($"forwarding {port}");
                // A container that ends takes its ports along.
                while (!interruption.Token.IsCancellationRequested)
                {
                    await NetworkSightCommands.GuestsAsync(connection, [guest], default).ConfigureAwait(false);
                    await Task.Delay(LookInterval, interruption.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
                return ExitCode.Ok;
            }).ConfigureAwait(false);
        });
        return HelpWithExamples.Add(command, """
            hyphactl forward web 8080:80
            hyphactl forward db 127.0.0.2:5432:5432
            """);
    }
}
