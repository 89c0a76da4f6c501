using System.CommandLine;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Display;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl inspect</c>: everything that is known of a container, as JSON.</summary>
internal static class InspectCommand
{
    public static Command Build()
    {
        var container = ContainerArgument.One();
        var command = new Command("inspect", "Prints everything that is known of a container, as JSON.") { container };
        command.SetAction((result, cancellation) => Failures.Explained($"cannot inspect {result.GetValue(container)}", ExitCode.Failure, async () =>
        {
            using var connection = result.Connect();
            var request = new InspectRequest { Container = result.GetValue(container) };
            var response = await connection.Client.InspectAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            StandardText.Out.WriteLine(response.Json.TrimEnd());
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, """
            hyphactl inspect web
            hyphactl inspect web | jq .exit
            """);
    }
}
