using System.Diagnostics;

namespace Hypha.Lab.Tests;

/// <summary>A Xen host in QEMU that is up for the tests of a class: <c>lab/run.sh --session</c>.</summary>
/// <remarks>Every command runs in dom0 with streams and a status of its own. The host ends when this does, however that comes about: it lives as long as
/// its standard input is open.</remarks>
public class Lab : IAsyncLifetime
{
    /// <summary>How long a boot may take: 10 s on an idle machine, minutes on one that is busy building.</summary>
    private static readonly TimeSpan BootDeadline = TimeSpan.FromMinutes(20);

    private readonly string _session = Directory.CreateTempSubdirectory("hypha-lab-tests.").FullName;
    private readonly string[] _options;
    private Process? _host;

    public Lab() : this([])
    {
    }

    protected Lab(params string[] options) => _options = options;

    /// <summary>The consoles of Xen and dom0 so far.</summary>
    public string ConsoleLog => File.ReadAllText(Path.Combine(_session, "console.log"));

    public virtual async ValueTask InitializeAsync()
    {
        var errors = new StringWriter();
        _host = Start("run.sh", ["--session", _session, "--keep-log", Path.Combine(_session, "console.log"), .. _options]);
        var errorsRead = Task.Run(async () =>
        {
            while (await _host.StandardError.ReadLineAsync() is { } line)
            {
                lock (errors)
                {
                    errors.WriteLine(line);
                }
            }
        });
        string? ready = await _host.StandardOutput.ReadLineAsync().WaitAsync(BootDeadline);
        if (ready != "ready")
        {
            await errorsRead;
            Assert.Fail($"the lab did not come up:\n{errors}");
        }
    }

    /// <summary>Runs a command of dom0's shell.</summary>
    public Task<LabResult> Run(string script, string input = "", int timeoutSeconds = 300) =>
        RunProgram(["bash", "-c", script], input, timeoutSeconds);

    /// <summary>Runs a program of dom0's with exactly these arguments.</summary>
    public async Task<LabResult> RunProgram(string[] command, string input = "", int timeoutSeconds = 300)
    {
        using var process = Start("exec.sh", ["--timeout", $"{timeoutSeconds}", _session, "--", .. command]);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The command ended before it had read its input.
        }

        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(timeoutSeconds + 60));
        return new LabResult(process.ExitCode, await output, await error);
    }

    /// <summary>Runs a command of dom0's shell in a terminal.</summary>
    public LabTerminal Terminal(string script) => new(Start("exec.sh", ["--tty", _session, "--", "bash", "-c", script]));

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            _host.StandardInput.Close();
            await _host.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
            _host.Dispose();
        }

        Directory.Delete(_session, recursive: true);
        GC.SuppressFinalize(this);
    }

    private static Process Start(string script, IEnumerable<string> arguments) =>
        Process.Start(new ProcessStartInfo(Path.Combine(Repository.Root, "lab", script), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
}
