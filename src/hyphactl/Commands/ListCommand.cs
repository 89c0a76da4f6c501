using System.CommandLine;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Display;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl list</c>: containers, one a line.</summary>
internal static class ListCommand
{
    public static Command Build()
    {
        var all = new Option<bool>("--all", "-a") { Description = "ended ones, too" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "UUIDs alone, in full" };
        var output = OutputFormat.Option();
        var command = new Command("list", "Lists containers.") { all, quiet, output };
        command.Aliases.Add("ls");
        command.Aliases.Add("ps");
        command.SetAction((result, cancellation) => Failures.Explained("cannot list containers", ExitCode.Failure, async () =>
        {
            using var connection = result.Connect();
            var request = new ListRequest { All = result.GetValue(all) };
            var response = await connection.Client.ListAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            if (result.GetValue(quiet))
            {
                foreach (var container in response.Containers)
                    StandardText.Out.WriteLine(container.Id);
            }
            else if (result.GetValue(output) == OutputFormat.Json)
            {
                Json.Print(response.Containers.Select(ContainerView.From).ToArray(), JsonViews.Default.ContainerViewArray);
            }
            else
            {
                ContainerTable.Print(response.Containers, DateTimeOffset.UtcNow);
            }
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, """
            hyphactl list                       what runs
            hyphactl list -a                    what has ended, too
            hyphactl destroy $(hyphactl list -q)
            hyphactl list -a --output json
            """);
    }
}
