using Hypha.Containers;
using Hypha.Linux;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Hypha.Daemon;

/// <summary>The daemon from its start to SIGTERM: takes the state directory, recovers, serves the control socket.</summary>
internal static class Daemon
{
    public static async Task<int> RunAsync(EngineOptions options, string socket, bool debug)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(socket)!);
        Directory.CreateDirectory(options.StateDirectory);
        // One daemon per state directory; the lock goes with the process.
        using var single = SingleInstance.Take(Path.Combine(options.StateDirectory, "hyphad.lock"));

        // Empty: the other builders take settings from the working directory's files, and watch all that is below it. A service's is "/".
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        ConfigureLogging(builder.Logging, debug);

        File.Delete(socket); // of a daemon that is gone: the lock is ours
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null; // attach streams as long as the container lives
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.ListenUnixSocket(socket, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(next => connection => PeerCheck.Allows(connection) ? next(connection) : Task.CompletedTask);
            });
        });
        builder.Services.AddGrpc(grpc =>
        {
            grpc.EnableDetailedErrors = debug;
            grpc.MaxReceiveMessageSize = 4 << 20;
        });

        // The engine is there before the application that would bring it a logger.
        using var loggers = LoggerFactory.Create(logging => ConfigureLogging(logging, debug));
        await using var engine = await ContainerEngine.StartAsync(options,
            loggers.CreateLogger("hyphad"), CancellationToken.None).ConfigureAwait(false);
        builder.Services.AddSingleton(engine);

        await using var app = builder.Build();
        app.MapGrpcService<ControlService>();
        // A socket is born with the umask's mode: nobody else may connect before its mode is set.
        int umask = Hypha.Linux.ProcessIdentity.SetUmask(0x7F); // 0177
        try
        {
            await app.StartAsync().ConfigureAwait(false);
        }
        finally
        {
            Hypha.Linux.ProcessIdentity.SetUmask(umask);
        }
        ServiceManager.Ready();
        await app.WaitForShutdownAsync().ConfigureAwait(false);
        return 0;
    }

    private static void ConfigureLogging(ILoggingBuilder logging, bool debug)
    {
        logging.AddSimpleConsole(options => options.SingleLine = true);
        logging.SetMinimumLevel(debug ? LogLevel.Debug : LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Grpc", LogLevel.Warning);
        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            options => options.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
