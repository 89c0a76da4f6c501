using System.CommandLine;
using System.Globalization;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Display;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl wait</c>: blocks until containers end; prints their exit statuses.</summary>
internal static class WaitCommand
{
    public static Command Build()
    {
        var containers = ContainerArgument.Several(ArgumentArity.OneOrMore);
        var command = new Command("wait", "Waits until each container has ended, and prints its exit status.") { containers };
        command.SetAction(async (result, cancellation) =>
        {
            using var connection = result.Connect();
            return await ForEachContainer.RunAsync(result.GetValue(containers)!, "wait for", async name =>
            {
                var response = await connection.Client.WaitAsync(new WaitRequest { Container = name }, cancellationToken: cancellation).ConfigureAwait(false);
                StandardText.Out.WriteLine(response.Exit.Code.ToString(CultureInfo.InvariantCulture));
                if (response.Exit.Message.Length > 0)
                    Failures.Say($"{name}: {response.Exit.Message}");
            }).ConfigureAwait(false);
        });
        return HelpWithExamples.Add(command, "hyphactl wait web");
    }
}
