using System.CommandLine;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Display;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl kill</c>: a signal to the containers' first processes.</summary>
internal static class KillCommand
{
    public static Command Build()
    {
        var containers = ContainerArgument.Several(ArgumentArity.OneOrMore);
        var signal = new Option<string>("--signal", "-s")
        {
            Description = "its name or number",
            HelpName = "SIGNAL",
            DefaultValueFactory = _ => "KILL",
        };
        signal.CompletionSources.Add([.. SignalName.All]);
        signal.Validators.Add(result =>
        {
            string text = result.GetValueOrDefault<string>() ?? "";
            if (!SignalName.TryParse(text, out _))
                result.AddError($"\"{text}\" is no signal; give a name as TERM or SIGTERM, or a number from 1 to 64");
        });
        var command = new Command("kill", "Sends a signal to the first process of each container.") { containers, signal };
        command.SetAction(async (result, cancellation) =>
        {
            using var connection = result.Connect();
            SignalName.TryParse(result.GetValue(signal)!, out uint number);
            return await ForEachContainer.RunAsync(result.GetValue(containers)!, "signal", async name =>
            {
                var request = new SignalRequest { Container = name, Signal = number };
                await connection.Client.SignalAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
                StandardText.Out.WriteLine(name);
            }).ConfigureAwait(false);
        });
        return HelpWithExamples.Add(command, """
            hyphactl kill -s TERM web
            hyphactl kill -s HUP web
            """);
    }
}
