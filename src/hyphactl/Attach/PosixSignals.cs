using System.Runtime.InteropServices;

namespace Hypha.Ctl.Attach;

/// <summary>Handlers of signals, in place of what the signal would do by itself. Numbers are Linux's on x86-64 and arm64.</summary>
internal static class PosixSignals
{
    public const int SIGHUP = 1;
    public const int SIGINT = 2;
    public const int SIGQUIT = 3;
    public const int SIGUSR1 = 10;
    public const int SIGUSR2 = 12;
    public const int SIGTERM = 15;
    public const int SIGWINCH = 28;

    public static PosixSignalRegistration On(int signal, Action handler) =>
        PosixSignalRegistration.Create(Registered(signal), context =>
        {
            context.Cancel = true;
            handler();
        });

    // The enumeration's own members are negative; other signals go by their number.
    private static PosixSignal Registered(int signal) => signal switch
    {
        SIGHUP => PosixSignal.SIGHUP,
        SIGINT => PosixSignal.SIGINT,
        SIGQUIT => PosixSignal.SIGQUIT,
        SIGTERM => PosixSignal.SIGTERM,
        _ => (PosixSignal)signal,
    };
}
