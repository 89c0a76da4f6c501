using System.CommandLine;
using Hypha.Ctl.Attach;
using Hypha.Ctl.CommandLine;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl attach</c>: takes up a running container's streams.</summary>
internal static class AttachCommand
{
    public static Command Build()
    {
        var container = ContainerArgument.One();
        var noStdin = new Option<bool>("--no-stdin") { Description = "only watch" };
        var signalProxy = new Option<bool>("--sig-proxy")
        {
            Description = "pass signals on to the container",
            DefaultValueFactory = _ => true,
            HelpName = "true|false",
        };
        var command = new Command("attach",
            $"Connects your terminal, or your standard streams, to a running container. {DetachKey.Name} leaves it running. "
            + "Exits with the container's status when it ends.") { container, noStdin, signalProxy };
        command.SetAction(async result =>
        {
            string name = result.GetValue(container)!;
            using var connection = result.Connect();
            var open = new AttachOpen { Container = name, Input = !result.GetValue(noStdin) };
            return await Attachment.RunAsync(connection.Client, open, name, result.GetValue(signalProxy)).ConfigureAwait(false);
        });
        return HelpWithExamples.Add(command, """
            hyphactl attach web
            hyphactl attach --no-stdin web > output
            """);
    }
}
