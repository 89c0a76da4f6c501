using System.CommandLine;
using Grpc.Core;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Connection;
using Hypha.Ctl.Display;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl version</c>: the client's version and, where it answers, the daemon's.</summary>
internal static class VersionCommand
{
    public static string ProgramVersion { get; } = typeof(VersionCommand).Assembly.GetName().Version!.ToString(3);

    public static Command Build()
    {
        var output = OutputFormat.Option();
        var command = new Command("version", "Prints the versions of hyphactl and hyphad.") { output };
        command.SetAction(async (result, cancellation) =>
        {
            string? daemon = null;
            string reason = "";
            try
            {
                using var connection = result.Connect();
                var response = await connection.Client.VersionAsync(new VersionRequest(), cancellationToken: cancellation).ConfigureAwait(false);
                daemon = response.Version;
            }
            catch (RpcException error) when (error.StatusCode != StatusCode.Cancelled)
            {
                reason = StatusText.Of(error);
            }

            if (result.GetValue(output) == OutputFormat.Json)
            {
                Json.Print(new VersionView(ProgramVersion, daemon), JsonViews.Default.VersionView);
                return ExitCode.Ok;
            }
            StandardText.Out.WriteLine($"hyphactl {ProgramVersion}");
            StandardText.Out.WriteLine(daemon is null ? $"hyphad   unknown: {reason}" : $"hyphad   {daemon}");
            return ExitCode.Ok;
        });
        return command;
    }
}
