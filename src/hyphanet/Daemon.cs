using Hypha.Net.Guests;
using Hypha.Net.Loop;
using Hypha.XenStore;

namespace Hypha.NetworkDaemon;

/// <summary>Serves all guests of this host, as they come and go.</summary>
internal static class Daemon
{
    public static int Run()
    {
        using var loop = new EventLoop();
        using var guests = new GuestSet(loop, Log);
        using var stop = new CancellationTokenSource();
        using var signals = new StopSignals(loop);
        Task finding = Task.Run(() => new GuestFinder(XenStoreClient.Connect, guests, Log).RunAsync(stop.Token));
        Console.Out.WriteLine("ready");
        loop.Run();
        stop.Cancel();
        finding.ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        return 0;
    }

    private static void Log(string line) => Console.Error.WriteLine(line);
}
