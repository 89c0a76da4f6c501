using Grpc.Core;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Connection;

namespace Hypha.Ctl.Commands;

/// <summary>A command over several containers goes on after one that fails, as docker's do, and fails in the end.</summary>
internal static class ForEachContainer
{
    // `verb` is "destroy", for "cannot destroy web: ...".
    public static async Task<int> RunAsync(IReadOnlyCollection<string> names, string verb, Func<string, Task> work)
    {
        int exitCode = ExitCode.Ok;
        foreach (string name in names)
        {
            try
            {
                await work(name).ConfigureAwait(false);
            }
            catch (RpcException error) when (error.StatusCode != StatusCode.Cancelled)
            {
                Failures.Say($"cannot {verb} {name}: {StatusText.Of(error)}");
                exitCode = ExitCode.Failure;
                // What is true of the daemon is true of the rest, too.
                if (StatusText.ConnectionFailureIn(error) is not null)
                    break;
            }
        }
        return exitCode;
    }
}
