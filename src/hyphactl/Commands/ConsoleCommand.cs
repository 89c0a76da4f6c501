using System.CommandLine;
using Grpc.Core;
using Hypha.Ctl.CommandLine;
using Hypha.Linux;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl console</c>: what the guest's kernel and init said.</summary>
internal static class ConsoleCommand
{
    public static Command Build()
    {
        var container = ContainerArgument.One();
        var follow = new Option<bool>("--follow", "-f") { Description = "go on until the guest ends" };
        var command = new Command("console", "Prints the messages of a guest's kernel and init, as far as they are kept.") { container, follow };
        command.SetAction((result, cancellation) => Failures.Explained($"cannot read the console of {result.GetValue(container)}", ExitCode.Failure, async () =>
        {
            using var connection = result.Connect();
            var request = new ConsoleRequest { Container = result.GetValue(container), Follow = result.GetValue(follow) };
            using var call = connection.Client.Console(request, cancellationToken: cancellation);
            await foreach (var output in call.ResponseStream.ReadAllAsync(cancellation).ConfigureAwait(false))
                StandardStreams.Write(StandardStream.Output, output.Data.Span);
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, """
            hyphactl console web               why a guest did not come up
            hyphactl console -f web
            """);
    }
}
