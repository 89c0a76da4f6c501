using System.Diagnostics;
using System.Globalization;

namespace Hypha.NetworkDaemon.Tests;

/// <summary>What a command said, and how it ended.</summary>
public sealed record Outcome(int Status, string Output, string Errors)
{
    public Outcome Succeeded()
    {
        Assert.True(Status == 0, $"status {Status}\n{Output}\n{Errors}");
        return this;
    }
}

/// <summary>
/// A guest behind hyphanet, in network namespaces of the test's own: "guest" has a veth to "host", where hyphanet attach serves it, and "host" has one to
/// "world", where servers are. Addresses: guest 10.75.0.2 and fd75::2, gateway .1 and ::1; host 192.0.2.1 and 2001:db8::1, world .2 and ::2.
/// </summary>
public class GuestNetwork(params string[] options) : IAsyncLifetime
{
    private static int s_count;

    private readonly string _prefix = $"hn{Environment.ProcessId}x{Interlocked.Increment(ref s_count)}";
    private readonly List<Process> _servers = [];
    private Process? _gateway;

    /// <summary>A server that tells whoever sends it a datagram their address and port; its own port is to follow.</summary>
    public static string Who { get; } = $"python3 {Path.Combine(AppContext.BaseDirectory, "who.py")}";

    public Process Gateway => _gateway!;

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("hyphanet").FullName;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        await Shell($"""
            set -e
            for n in host guest world; do ip netns add {_prefix}$n; ip -n {_prefix}$n link set lo up; done
            H="ip -n {_prefix}host" G="ip -n {_prefix}guest" W="ip -n {_prefix}world"
            $H link add vguest type veth peer name eth0 netns {_prefix}guest
            $H link add vworld type veth peer name eth0 netns {_prefix}world
            $H addr add 192.0.2.1/24 dev vworld; $H addr add 2001:db8::1/64 dev vworld nodad; $H link set vworld up; $H link set vguest up
            $W addr add 192.0.2.2/24 dev eth0; $W addr add 2001:db8::2/64 dev eth0 nodad; $W link set eth0 up
            $G addr add 10.75.0.2/24 dev eth0; $G addr add fd75::2/64 dev eth0 nodad; $G link set eth0 up
            $G route add default via 10.75.0.1; $G -6 route add default via fd75::1
            ip netns exec {_prefix}host sysctl -qw net.ipv4.ping_group_range="0 2147483647"
            """);
        await StartGateway();
    }

    /// <summary>Starts hyphanet attach, and waits until it is ready.</summary>
    public async Task StartGateway()
    {
        string program = Environment.GetEnvironmentVariable("HYPHA_HYPHANET") ?? Path.Combine(Repository, "src/hyphanet/bin/Debug/net10.0/hyphanet");
        _gateway = Begin("host", ["stdbuf", "-oL", program, "attach", "--interface", "vguest", "--address", "10.75.0.2/24", "--gateway", "10.75.0.1",
            "--address6", "fd75::2/64", "--gateway6", "fd75::1", .. options]);
        string? line = await _gateway.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(line == "ready", $"hyphanet said \"{line}\": {(line is null ? await _gateway.StandardError.ReadToEndAsync() : "")}");
    }

    /// <summary>Ends it at once, as a crash would.</summary>
    public async Task KillGateway()
    {
        Gateway.Kill();
        await Gateway.WaitForExitAsync();
        Gateway.Dispose();
        _gateway = null;
    }

    /// <summary>Runs a shell's words in "guest", "host" or "world", for at most half a minute.</summary>
    public async Task<Outcome> Run(string place, string script, int seconds = 30)
    {
        using Process process = Begin(place, ["timeout", seconds.ToString(CultureInfo.InvariantCulture), "bash", "-c", script]);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Outcome(process.ExitCode, await output, await errors);
    }

    /// <summary>Starts a server that runs until the end of the tests, and waits until it listens on a port.</summary>
    public async Task Serve(string place, string script, int port, bool udp = false)
    {
        _servers.Add(Begin(place, ["bash", "-c", $"exec >/dev/null 2>&1 </dev/null; {script}"]));
        (await Run(place, $"until ss -Hln{(udp ? 'u' : 't')} | grep -q ':{port} '; do sleep 0.05; done")).Succeeded();
    }

    /// <summary>Runs a shell's words in "host".</summary>
    public Task<Outcome> Host(string script) => Run("host", script);

    /// <summary>What hyphanet has taken of the processor.</summary>
    public TimeSpan ProcessorTime()
    {
        Gateway.Refresh();
        return Gateway.TotalProcessorTime;
    }

    /// <summary>Kilobytes of memory that hyphanet has resident.</summary>
    public long ResidentKilobytes() => Gateway.HasExited ? 0
        : long.Parse(File.ReadLines($"/proc/{Gateway.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (Process process in _servers.Append(_gateway).OfType<Process>())
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        await Shell($"for n in host guest world; do for p in $(ip netns pids {_prefix}$n 2>/dev/null); do kill -9 $p; done; ip netns del {_prefix}$n 2>/dev/null; done; true");
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    internal static string Repository { get; } = FindRepository();

    private static string FindRepository()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Hypha.slnx")))
            directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException("the repository is not around the tests");
    }

    private static async Task Shell(string script)
    {
        using Process process = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardError = true })!;
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);
    }

    private Process Begin(string place, string[] command) => Process.Start(new ProcessStartInfo("ip", ["netns", "exec", _prefix + place, .. command])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        WorkingDirectory = Directory,
    })!;
}
