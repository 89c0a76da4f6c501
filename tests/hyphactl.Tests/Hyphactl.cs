using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Hypha.Ctl.Tests;

/// <summary>The built program, run as a person or script runs it. $HYPHACTL names another build of it.</summary>
internal sealed partial class Hyphactl : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly MemoryStream _stdout = new();
    private readonly MemoryStream _stderr = new();
    private readonly Task _reading;

    private Hyphactl(ProcessStartInfo start)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        _process = Process.Start(start)!;
        _reading = Task.WhenAll(CopyAsync(_process.StandardOutput.BaseStream, _stdout), CopyAsync(_process.StandardError.BaseStream, _stderr));
    }

    // A suite that runs in the background of a shell has SIGINT ignored, and its children would inherit that.
    public static IReadOnlyList<string> Program { get; } = Environment.GetEnvironmentVariable("HYPHACTL") is { Length: > 0 } path
        ? ["env", "--default-signal", path]
        : ["env", "--default-signal", "dotnet", Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../../src/hyphactl/bin/Debug/net10.0/hyphactl.dll"))];

    public Stream Input => _process.StandardInput.BaseStream;

    public string Stdout => Text(_stdout);

    public string Stderr => Text(_stderr);

    public byte[] StdoutBytes
    {
        get
        {
            lock (_stdout)
                return _stdout.ToArray();
        }
    }

    public static Hyphactl Start(FakeDaemon daemon, params string[] arguments) => Start(daemon.Socket, arguments);

    public static Hyphactl Start(string socket, params string[] arguments)
    {
        var start = new ProcessStartInfo(Program[0]);
        foreach (string word in Program.Skip(1).Concat(arguments))
            start.ArgumentList.Add(word);
        start.Environment["HYPHA_SOCKET"] = socket;
        return new Hyphactl(start);
    }

    /// <summary>Runs a shell line on a terminal of its own (script(1) makes it); what the terminal shows is standard output here. The program is <c>$HYPHACTL</c>.</summary>
    public static Hyphactl StartOnTerminal(FakeDaemon daemon, string line)
    {
        var start = new ProcessStartInfo("script") { ArgumentList = { "-q", "-e", "-f", "-c", line, "/dev/null" } };
        start.Environment["HYPHA_SOCKET"] = daemon.Socket;
        start.Environment["HYPHACTL"] = string.Join(' ', Program);
        start.Environment["SHELL"] = "/bin/sh";
        start.Environment["TERM"] = "xterm";
        return new Hyphactl(start);
    }

    /// <summary>Runs a shell line.</summary>
    public static Hyphactl StartShell(FakeDaemon daemon, string line)
    {
        var start = new ProcessStartInfo("sh") { ArgumentList = { "-c", line } };
        start.Environment["HYPHA_SOCKET"] = daemon.Socket;
        return new Hyphactl(start);
    }

    /// <summary>Closes standard input and waits for the end.</summary>
    public Task<int> EndAsync()
    {
        _process.StandardInput.Close();
        return ExitAsync();
    }

    public async Task<int> ExitAsync()
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(Deadline);
            await _reading.WaitAsync(Deadline);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"hyphactl did not end. It wrote \"{Stdout}\" and \"{Stderr}\".");
        }
        return _process.ExitCode;
    }

    public async Task UntilAsync(Func<Hyphactl, bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition(this))
        {
            if (clock.Elapsed > Deadline || _reading.IsCompleted && !condition(this))
                throw new TimeoutException($"what was waited for did not come. It wrote \"{Stdout}\" and \"{Stderr}\".");
            await Task.Delay(10);
        }
    }

    public async Task TypeAsync(string keys)
    {
        await Input.WriteAsync(Encoding.UTF8.GetBytes(keys));
        await Input.FlushAsync();
    }

    public void Signal(int signal) => Assert.Equal(0, Kill(_process.Id, signal));

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static async Task CopyAsync(Stream from, MemoryStream to)
    {
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = await from.ReadAsync(buffer)) > 0)
        {
            lock (to)
                to.Write(buffer, 0, count);
        }
    }

    private static string Text(MemoryStream stream)
    {
        lock (stream)
            return Encoding.UTF8.GetString(stream.ToArray());
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
