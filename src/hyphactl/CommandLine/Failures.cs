using Grpc.Core;
using Hypha.Ctl.Connection;
using Hypha.Ctl.Display;
using Hypha.Linux;
using Hypha.Oci;

namespace Hypha.Ctl.CommandLine;

/// <summary>A command cannot be carried out. The message is for a person: what was tried, why it failed, what to do next.</summary>
internal sealed class CommandFailure(string message, int exitCode = ExitCode.Failure, Exception? cause = null) : Exception(message, cause)
{
    public int ExitCode { get; } = exitCode;
}

/// <summary>The edge where a failure becomes a sentence on standard error and an exit status.</summary>
internal static class Failures
{
    /// <returns>The exit status.</returns>
    public static int Report(Exception error, bool debug)
    {
        (string message, int exitCode) = error switch
        {
            CommandFailure failure => (failure.Message, failure.ExitCode),
            // Whoever read the output has gone: nothing to say and nobody to say it to.
            LinuxException { Error: Errno.EPIPE } => ("", ExitCode.BrokenPipe),
            OperationCanceledException => ("", ExitCode.Interrupted),
            RpcException { StatusCode: StatusCode.Cancelled } => ("", ExitCode.Interrupted),
            RpcException rpc => (StatusText.Of(rpc), ExitCode.Failure),
            ImageException or LinuxException or IOException or UnauthorizedAccessException => (error.Message, ExitCode.Failure),
            _ => ($"{error.Message} ({error.GetType().Name}; --debug shows where)", ExitCode.Failure),
        };
        if (message.Length > 0)
            Say(message);
        if (debug)
            StandardText.Error.WriteLine(error);
        return exitCode;
    }

    /// <summary>A line of hyphactl's own on standard error.</summary>
    public static void Say(string message) => StandardText.Error.WriteLine($"hyphactl: {message}");

    /// <summary>Runs a command's work; its failure says what could not be done: "cannot launch web:2: ...".</summary>
    public static async Task<T> Explained<T>(string attempt, int exitCode, Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (RpcException error) when (error.StatusCode != StatusCode.Cancelled)
        {
            throw new CommandFailure($"{attempt}: {StatusText.Of(error)}", exitCode, error);
        }
        catch (Exception error) when (error is IOException and not LinuxException { Error: Errno.EPIPE } or UnauthorizedAccessException or ImageException)
        {
            throw new CommandFailure($"{attempt}: {error.Message}", exitCode, error);
        }
    }
}
