using System.Net;
using Hypha.Linux;
using Hypha.Net.Guests;
using Hypha.Net.Loop;
using Hypha.NetworkDaemon.Control;
using Hypha.NetworkDaemon.Metrics;
using Hypha.XenStore;

namespace Hypha.NetworkDaemon;

/// <summary>Serves all guests of this host, as they come and go.</summary>
internal static class Daemon
{
    public static int Run(string control, IPEndPoint? metrics)
    {
        using var loop = new EventLoop();
        using var guests = new GuestSet(loop, Log);
        using var stop = new CancellationTokenSource();
        var view = new GuestView(loop, guests.Served);
        using ControlSocket? socket = Listen(control, view);
        using MetricsServer? server = metrics is null ? null : new MetricsServer(metrics, view);
        using var signals = new StopSignals(loop);
        _ = Task.Run(() => new GuestFinder(XenStoreClient.Connect, guests, Log).RunAsync(stop.Token));
        _ = Task.Run(() => new DirectBackEnds(XenStoreClient.Connect, guests, Log).RunAsync(stop.Token));
        Console.Out.WriteLine("ready");
        ServiceManager.Ready();
        loop.Run();
        // Nothing is written to the store: who comes after this process takes over the guests as they are.
        stop.Cancel();
        return 0;
    }

    /// <summary>Guests are served whether anybody can look on or not.</summary>
    private static ControlSocket? Listen(string path, GuestView guests)
    {
        try
        {
            return new ControlSocket(path, guests);
        }
        catch (IOException error)
        {
            Log($"{error.Message}; hyphactl network cannot look at what is served");
            return null;
        }
    }

    private static void Log(string line) => Console.Error.WriteLine(line);
}
