using System.Diagnostics;
using System.Net.Sockets;

namespace Hypha.XenStore.Tests.Daemon;

/// <summary>
/// Xen's own xenstored (Debian's xen-utils), run here without Xen: the client is tested against the real tree, transactions
/// and watches. The package is unpacked into a cache, never installed.
/// </summary>
public sealed class StoreDaemon : IDisposable
{
    private const string Package = "xen-utils-4.17";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly Process? _process;
    private readonly string _directory = Directory.CreateTempSubdirectory("hypha-xenstored-").FullName;

    public StoreDaemon()
    {
        try
        {
            string daemon = Find();
            string preload = Path.Combine(_directory, "without-xen.so");
            Run("gcc", "-shared", "-fPIC", "-O1", "-o", preload, Path.Combine(AppContext.BaseDirectory, "Daemon/without-xen.c"));
            var start = new ProcessStartInfo(daemon) { RedirectStandardError = true, RedirectStandardOutput = true };
            foreach (string argument in new[] { "-N", "-I" }) // in the foreground, tree in memory
                start.ArgumentList.Add(argument);
            start.Environment["LD_PRELOAD"] = preload;
            start.Environment["XENSTORED_RUNDIR"] = _directory;
            start.Environment["XENSTORED_ROOTDIR"] = _directory;
            _process = Process.Start(start)!;
            WaitForSocket();
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception or TimeoutException)
        {
            Missing = error.Message;
        }
    }

    /// <summary>Why there is none, when there is none.</summary>
    public string? Missing { get; }

    public string SocketPath => Path.Combine(_directory, "socket");

    public XenStoreClient Connect()
    {
        Assert.SkipWhen(Missing is not null, $"Xen's xenstored does not run here: {Missing}");
        return XenStoreClient.ConnectSocket(SocketPath);
    }

    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (_process is { HasExited: false })
            Kill();
        _process?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private void WaitForSocket()
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < s_patience)
        {
            if (_process!.HasExited)
                throw new InvalidOperationException($"it exits with {_process.ExitCode}: {_process.StandardError.ReadToEnd()}");
            try
            {
                using XenStoreClient client = XenStoreClient.ConnectSocket(SocketPath);
                return;
            }
            catch (SocketException)
            {
                Thread.Yield();
            }
        }
        throw new TimeoutException("it does not listen");
    }

    private static string Find()
    {
        string cache = Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? "/var/tmp", "hypha-tests", Package);
        string unpacked = Path.Combine(cache, "usr/lib/xen-4.17/bin/xenstored");
        foreach (string path in new[] { Environment.GetEnvironmentVariable("XENSTORED") ?? "", "/usr/lib/xen-4.17/bin/xenstored", unpacked })
        {
            if (File.Exists(path))
                return path;
        }
        string download = Directory.CreateTempSubdirectory("hypha-deb-").FullName;
        try
        {
            Run("sh", "-c", $"cd '{download}' && apt-get download -qq {Package} && mkdir -p '{cache}' && dpkg-deb -x {Package}_*.deb '{cache}'");
            return unpacked;
        }
        finally
        {
            Directory.Delete(download, recursive: true);
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string output = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program}: {output}");
    }
}
