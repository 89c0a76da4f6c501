using Grpc.Core;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Connection;
using Hypha.Ctl.Display;
using Hypha.Linux;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Attach;

/// <summary>An attach from start to exit status, for <c>launch --attach</c> and <c>attach</c> alike.</summary>
internal static class Attachment
{
    // `shown` is the container as the person knows it.
    public static async Task<int> RunAsync(Control.ControlClient client, AttachOpen open, string shown, bool forwardSignals)
    {
        bool terminal = Terminal.Is(StandardStream.Input);
        using var session = new AttachSession(client);
        using var signals = new SignalProxy(client, open.Container, session, forwardSignals, terminal);
        AttachOutcome outcome;
        try
        {
            outcome = await session.RunAsync(open).ConfigureAwait(false);
        }
        catch (RpcException error)
        {
            string advice = error.Status.DebugException is null || !session.IsAttached ? "" : $" Once hyphad is back: hyphactl attach {shown}";
            string attempt = session.IsAttached ? $"lost {shown}" : $"cannot attach to {shown}";
            throw new CommandFailure($"{attempt}: {StatusText.Of(error)}{advice}", ExitCode.LaunchFailure, error);
        }

        if (outcome.Exit is not { } exit)
        {
            if (outcome.LeaveCode != ExitCode.HungUp)
                StandardText.Error.WriteLine($"{(terminal ? "\n" : "")}detached, the container goes on. Attach again with: hyphactl attach {shown}");
            return outcome.LeaveCode;
        }
        if (exit.Message.Length > 0)
            Failures.Say(exit.Message);
        return (int)Math.Min(exit.Code, 255);
    }
}
