using System.CommandLine;
using System.Net;

namespace Hypha.NetworkDaemon.Metrics;

/// <summary>The option <c>--metrics ADDRESS:PORT</c>.</summary>
internal static class MetricsOption
{
    public static Option<IPEndPoint?> New() => new("--metrics")
    {
        Description = "serve Prometheus' metrics over HTTP, at /metrics; whoever reaches the address reads them",
        HelpName = "ADDRESS:PORT",
        CustomParser = result =>
        {
            string text = result.Tokens[^1].Value;
            if (!MetricsServer.TryParse(text, out IPEndPoint? address))
                result.AddError($"\"{text}\" is no value for --metrics: give ADDRESS:PORT, as 127.0.0.1:9475");
            return address;
        },
    };
}
