using System.Runtime.InteropServices;
using Hypha.Net.Loop;

namespace Hypha.NetworkDaemon;

/// <summary>SIGTERM and SIGINT end the loop.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration _terminate, _interrupt;

    public StopSignals(EventLoop loop)
    {
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            loop.Stop();
        }
    }

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
    }
}
