namespace Hypha.NetworkDaemon.Tests;

/// <summary>A network whose hyphanet says what it does.</summary>
public sealed class WatchedNetwork : GuestNetwork
{
    private readonly string _control;

    public WatchedNetwork() : this(Path.Combine(Path.GetTempPath(), $"hyphanet{Guid.NewGuid():n}.sock"))
    {
    }

    private WatchedNetwork(string control) : base("--control", control, "--metrics", "127.0.0.1:9475") => _control = control;

    /// <summary>The socket's path.</summary>
    public string Control => _control;

    public static string Hyphactl { get; } = Environment.GetEnvironmentVariable("HYPHACTL") ?? Path.Combine(Repository, "src/hyphactl/bin/Debug/net10.0/hyphactl");

    /// <summary>hyphactl network and these words of a shell.</summary>
    public Task<Outcome> Look(string words, string with = "") => Run("host", $"export HYPHA_NETWORK_SOCKET={_control}; {with} {Hyphactl} network {words}");
}
