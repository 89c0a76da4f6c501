using System.Runtime.InteropServices;
using Hypha.Ctl.Attach;

namespace Hypha.Ctl.CommandLine;

/// <summary>Ctrl+C, SIGTERM and a hang-up as a cancellation, while an operation runs that can be undone.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    public Interruption()
    {
        _registrations =
        [
            PosixSignals.On(PosixSignals.SIGINT, () => Request(CommandLine.ExitCode.Interrupted)),
            PosixSignals.On(PosixSignals.SIGTERM, () => Request(CommandLine.ExitCode.Terminated)),
            PosixSignals.On(PosixSignals.SIGHUP, () => Request(CommandLine.ExitCode.HungUp)),
        ];
    }

    public CancellationToken Token => _source.Token;

    public bool IsRequested => _source.IsCancellationRequested;

    public int ExitCode { get; private set; } = CommandLine.ExitCode.Interrupted;

    public void Dispose() => Array.ForEach(_registrations, registration => registration.Dispose());

    private void Request(int exitCode)
    {
        ExitCode = exitCode;
        _source.Cancel();
    }
}
