using System.Runtime.InteropServices;
using Grpc.Core;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Connection;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Attach;

/// <summary>
/// What signals to hyphactl mean while it is attached. A hang-up leaves, and so does SIGTERM where a person sits at a
/// terminal; else signals go on to the container's first process, as docker's do.
/// </summary>
internal sealed class SignalProxy : IDisposable
{
    private readonly Control.ControlClient _client;
    private readonly string _container;
    private readonly AttachSession _session;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _unanswered;

    public SignalProxy(Control.ControlClient client, string container, AttachSession session, bool forward, bool terminal)
    {
        (_client, _container, _session) = (client, container, session);
        Handle(PosixSignals.SIGHUP, () => session.Leave(ExitCode.HungUp));
        Handle(PosixSignals.SIGTERM, forward && !terminal ? () => Forward(PosixSignals.SIGTERM) : () => session.Leave(ExitCode.Terminated));
        Handle(PosixSignals.SIGINT, forward ? () => Forward(PosixSignals.SIGINT) : () => session.Leave(ExitCode.Interrupted));
        if (!forward)
            return;
        foreach (int signal in (ReadOnlySpan<int>)[PosixSignals.SIGQUIT, PosixSignals.SIGUSR1, PosixSignals.SIGUSR2])
            Handle(signal, () => Forward(signal));
    }

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());

    private void Handle(int signal, Action handler) => _registrations.Add(PosixSignals.On(signal, handler));

    private void Forward(int signal)
    {
        // A daemon or guest that does not answer must not hold anybody: the second signal leaves.
        if (Interlocked.Increment(ref _unanswered) > 1)
            _session.Leave(128 + signal);
        else
            _ = ForwardAsync(signal);
    }

    private async Task ForwardAsync(int signal)
    {
        try
        {
            await _client.SignalAsync(new SignalRequest { Container = _container, Signal = (uint)signal });
        }
        catch (RpcException error) when (error.StatusCode is not StatusCode.FailedPrecondition and not StatusCode.NotFound)
        {
            // A container that has just ended needs no signal; anything else the person should know.
            Failures.Say($"cannot pass the signal on: {StatusText.Of(error)}");
        }
        catch (RpcException)
        {
        }
        finally
        {
            Interlocked.Exchange(ref _unanswered, 0);
        }
    }
}
