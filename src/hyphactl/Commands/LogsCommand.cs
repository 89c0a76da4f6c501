using System.CommandLine;
using Grpc.Core;
using Hypha.Ctl.CommandLine;
using Hypha.Linux;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl logs</c>: what the container wrote, each stream to its own.</summary>
internal static class LogsCommand
{
    public static Command Build()
    {
        var container = ContainerArgument.One();
        var follow = new Option<bool>("--follow", "-f") { Description = "go on until the container ends" };
        var command = new Command("logs", "Prints what a container wrote to its standard output and error, as far as it is kept.") { container, follow };
        command.SetAction((result, cancellation) => Failures.Explained($"cannot read the logs of {result.GetValue(container)}", ExitCode.Failure, async () =>
        {
            using var connection = result.Connect();
            var request = new LogsRequest { Container = result.GetValue(container), Follow = result.GetValue(follow) };
            using var call = connection.Client.Logs(request, cancellationToken: cancellation);
            await foreach (var output in call.ResponseStream.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                switch (output.EventCase)
                {
                    case AttachEvent.EventOneofCase.Stdout:
                        StandardStreams.Write(StandardStream.Output, output.Stdout.Span);
                        break;
                    case AttachEvent.EventOneofCase.Stderr:
                        StandardStreams.Write(StandardStream.Error, output.Stderr.Span);
                        break;
                }
            }
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, """
            hyphactl logs web
            hyphactl logs -f web 2>/dev/null
            """);
    }
}
