using System.CommandLine;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Connection;
using Hypha.Ctl.Display;
using Hypha.Linux;
using Hypha.Protocol.Network;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl network top</c>: rates, each second anew.</summary>
internal static class NetworkTop
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public static Command Build()
    {
        var names = NetworkOptions.Guests();
        var count = new Option<int?>("--count", "-n") { Description = "end after so many seconds; without it Ctrl+C does", HelpName = "COUNT" };
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1)
                result.AddError("--count is a number of 1 or more");
        });
        var control = NetworkOptions.Control();
        var command = new Command("top", "Shows which containers send and receive, each second anew; without a terminal a table after the other.") { names, count, control };
        command.SetAction(async result =>
        {
            using var interruption = new Interruption();
            return await Failures.Explained("cannot look at the network", ExitCode.Failure, async () =>
            {
                using NetworkConnection connection = result.ConnectNetwork(control);
                await RunAsync(connection, result.GetValue(names)!, result.GetValue(count), interruption.Token).ConfigureAwait(false);
                return ExitCode.Ok;
            }).ConfigureAwait(false);
        });
        return HelpWithExamples.Add(command, """
            hyphactl network top
            hyphactl network top -n 10 web >rates
            """);
    }

    /// <summary>Until the count is reached; Ctrl+C is how it is left.</summary>
    private static async Task RunAsync(NetworkConnection connection, string[] names, int? count, CancellationToken left)
    {
        bool terminal = Terminal.Is(StandardStream.Output);
        var before = await NetworkSightCommands.GuestsAsync(connection, names, default).ConfigureAwait(false);
        long last = TimeProvider.System.GetTimestamp();
        for (int i = 0; count is null || i < count; i++)
        {
            await Task.Delay(Interval, left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (left.IsCancellationRequested)
                return;
            var now = await NetworkSightCommands.GuestsAsync(connection, names, default).ConfigureAwait(false);
            double seconds = TimeProvider.System.GetElapsedTime(last).TotalSeconds;
            last = TimeProvider.System.GetTimestamp();
            if (terminal)
                StandardText.Out.Write("\e[H\e[J"); // the upper left corner, and nothing from there on
            NetworkTables.PrintRates(before, now, seconds);
            before = now;
        }
    }
}
