using System.CommandLine;
using Grpc.Core;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Connection;
using Hypha.Ctl.Display;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl destroy</c>: ends guests and removes what is kept of them.</summary>
internal static class DestroyCommand
{
    public static Command Build()
    {
        var containers = ContainerArgument.Several(ArgumentArity.ZeroOrMore);
        var all = new Option<bool>("--all") { Description = "every container of this host, ended ones included" };
        var command = new Command("destroy", "Ends containers at once and removes their records, logs included.") { containers, all };
        command.Aliases.Add("rm");
        command.Validators.Add(result =>
        {
            bool named = result.GetValue(containers) is { Length: > 0 };
            if (named == result.GetValue(all))
                result.AddError(named ? "name containers or give --all, not both" : "which container? Give its name or UUID, or --all");
        });
        command.SetAction(async (result, cancellation) =>
        {
            using var connection = result.Connect();
            string[] names = result.GetValue(containers)!;
            if (result.GetValue(all))
            {
                names = await Failures.Explained("cannot list containers", ExitCode.Failure, async () =>
                {
                    var list = await connection.Client.ListAsync(new ListRequest { All = true }, cancellationToken: cancellation).ConfigureAwait(false);
                    return list.Containers.Select(container => container.Id).ToArray();
                }).ConfigureAwait(false);
            }
            return await ForEachContainer.RunAsync(names, "destroy", async name =>
            {
                await connection.Client.DestroyAsync(new DestroyRequest { Container = name }, cancellationToken: cancellation).ConfigureAwait(false);
                StandardText.Out.WriteLine(name);
            }).ConfigureAwait(false);
        });
        return HelpWithExamples.Add(command, """
            hyphactl destroy web 4f1c
            hyphactl destroy --all
            """);
    }
}
