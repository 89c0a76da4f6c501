using System.CommandLine;
using System.Globalization;
using Grpc.Core;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Connection;
using Hypha.Ctl.Display;
using Hypha.Host;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl host</c>: what this host is, and what it lacks.</summary>
internal static class HostCommand
{
    public static Command Build() => new("host", "Shows what this host is, and what it lacks.") { BuildInfo(), BuildCheck() };

    private static Command BuildInfo()
    {
        var output = OutputFormat.Option();
        var command = new Command("info", "Prints versions, memory and guests of this host.") { output };
        command.SetAction((result, cancellation) => Failures.Explained("cannot tell about this host", ExitCode.Failure, async () =>
        {
            using var connection = result.Connect();
            var info = await connection.Client.HostInfoAsync(new HostInfoRequest(), cancellationToken: cancellation).ConfigureAwait(false);
            if (result.GetValue(output) == OutputFormat.Json)
                Json.Print(View(info), JsonViews.Default.HostView);
            else
                Print(info);
            return ExitCode.Ok;
        }));
        return HelpWithExamples.Add(command, "hyphactl host info --output json");
    }

    private static Command BuildCheck()
    {
        var output = OutputFormat.Option();
        var command = new Command("check",
            "Checks each thing that a host needs, and says what to do where it lacks. Exits with 1 if something does. Works without hyphad, too.") { output };
        command.SetAction(async (result, cancellation) =>
        {
            var checks = await ChecksAsync(result, cancellation).ConfigureAwait(false);
            if (result.GetValue(output) == OutputFormat.Json)
            {
                Json.Print(checks.Select(check => new CheckView(check.Name, check.Ok, check.Detail, check.Ok ? null : check.Advice)).ToArray(),
                    JsonViews.Default.CheckViewArray);
            }
            else
            {
                Print(checks);
            }
            return checks.All(check => check.Ok) ? ExitCode.Ok : ExitCode.Failure;
        });
        return HelpWithExamples.Add(command, "hyphactl host check && hyphactl launch --attach debian:12");
    }

    /// <summary>hyphad knows best what it needs; where it does not answer, what can be seen without it.</summary>
    private static async Task<IReadOnlyList<Check>> ChecksAsync(ParseResult result, CancellationToken cancellation)
    {
        string socket = CommandTree.SocketPath(result);
        try
        {
            using var connection = result.Connect();
            var response = await connection.Client.HostCheckAsync(new HostCheckRequest(), cancellationToken: cancellation).ConfigureAwait(false);
            return [new Check { Name = "hyphad", Ok = true, Detail = $"answers at {socket}" }, .. response.Checks];
        }
        catch (RpcException error) when (error.StatusCode != StatusCode.Cancelled)
        {
            bool notThere = StatusText.ConnectionFailureIn(error) is not null;
            return
            [
                .. new HostProbe().Run().Select(check => new Check { Name = check.Name, Ok = check.Ok, Detail = check.Detail, Advice = check.Advice }),
                new Check
                {
                    Name = "hyphad",
                    Detail = notThere ? $"does not answer at {socket}" : StatusText.Of(error),
                    Advice = "systemctl start hyphad; what it says: journalctl -u hyphad",
                },
            ];
        }
    }

    private static void Print(IReadOnlyList<Check> checks)
    {
        int width = checks.Max(check => check.Name.Length);
        foreach (var check in checks)
        {
            StandardText.Out.WriteLine($"{(check.Ok ? "ok     " : "missing")}  {check.Name.PadRight(width)}  {check.Detail}".TrimEnd());
            if (!check.Ok && check.Advice.Length > 0)
                StandardText.Out.WriteLine($"         {new string(' ', width)}  {check.Advice}");
        }
    }

    private static void Print(HostInfoResponse info)
    {
        Line("Xen", info.XenVersion);
        Line("Linux", info.KernelVersion);
        Line("hyphad", info.HyphadVersion);
        Line("CPUs", info.Cpus.ToString(CultureInfo.InvariantCulture));
        Line("memory", $"{Amounts.Bytes(info.TotalMemoryMib * 1048576.0)}, {Amounts.Bytes(info.FreeMemoryMib * 1048576.0)} free for guests");
        Line("containers", string.Create(CultureInfo.InvariantCulture, $"{info.Running} running, {info.Ended} ended"));
        Line("interfaces", string.Create(CultureInfo.InvariantCulture, $"domctl 0x{info.DomctlVersion:x}, sysctl 0x{info.SysctlVersion:x}"));
        Line("Xen's options", info.CommandLine);
        Line("guest kernel", info.DefaultKernel);
        Line("guest initrd", info.DefaultInitrd);

        static void Line(string name, string value) => StandardText.Out.WriteLine($"{name,-14} {value}".TrimEnd());
    }

    private static HostView View(HostInfoResponse info) => new(
        info.XenVersion, info.KernelVersion, info.HyphadVersion, info.Cpus, info.TotalMemoryMib, info.FreeMemoryMib, info.Running, info.Ended,
        info.DomctlVersion, info.SysctlVersion, info.CommandLine, info.DefaultKernel, info.DefaultInitrd);
}
