using Google.Protobuf;
using Hypha.Guest.Start;
using Hypha.Guest.Streams;
using Hypha.Linux;
using Hypha.Protocol.Guest;

namespace Hypha.Guest.Processes;

/// <summary>The container's first process, its streams, and how it ended.</summary>
public sealed class Container(Bundle bundle)
{
    private const int DefaultBuffer = 256 * 1024;
    private const int LargestBuffer = 16 << 20;

    private readonly TaskCompletionSource<WaitResponse> _ended = new();
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PseudoTerminal? _terminal;
    private Action? _startStreams;
    private volatile int _pid;

    public string Id => bundle.ContainerId;

    /// <summary>Of the first process, as the init sees it; 0 before it started.</summary>
    public int Pid => _pid;

    /// <summary>With a terminal: everything.</summary>
    public OutputBuffer Output { get; } = new(BufferSize(bundle));

    public OutputBuffer ErrorOutput { get; } = new(BufferSize(bundle));

    public InputWriter Input { get; } = new();

    /// <summary>The process runs, or will not: from here on its terminal and its pid are what they are. Input keeps what comes before, in its order.</summary>
    public Task Begun => _begun.Task;

    public Task<WaitResponse> Ended => _ended.Task;

    /// <summary>Prepares the container and starts its process; returns when the program runs, or <see cref="Ended"/> tells why it does not.</summary>
    public void Start()
    {
        try
        {
            StartException? failure = null;
            // A thread of its own, for it leaves the init's namespaces and root, and cannot come back.
            var thread = new Thread(() =>
            {
                try
                {
                    failure = StartInContainer();
                }
                catch (Exception e)
                {
                    failure = e as StartException ?? new StartException(StartException.CannotStart, $"the container cannot be prepared: {e.Message}", e);
                }
            });
            thread.Start();
            thread.Join();
            if (failure is not null)
                throw failure;
            // Not in that thread: where its children are in another pid namespace, the kernel starts it no further threads.
            _startStreams?.Invoke();
        }
        catch (StartException e)
        {
            Fail(e);
        }
        _begun.TrySetResult();
    }

    /// <summary>Ends the container before it began.</summary>
    public void Fail(StartException e)
    {
        Output.End();
        ErrorOutput.End();
        Input.Shut();
        _begun.TrySetResult();
        _ended.TrySetResult(new WaitResponse { Failure = new StartFailure { ExitCode = e.ExitCode, Message = e.Message } });
    }

    /// <summary>A child of the init ended; it may be this one.</summary>
    public void ChildEnded(ChildExit exit)
    {
        if (exit.Pid != _pid)
            return;
        _pid = 0;
        _ended.TrySetResult(exit.Signaled ? new WaitResponse { Signal = (uint)exit.Value } : new WaitResponse { ExitCode = (uint)exit.Value });
    }

    /// <returns>False when it has ended.</returns>
    public bool Signal(int number) => _pid is var pid and > 0 && ChildProcess.Kill(pid, number);

    public void Resize(uint columns, uint rows) => _terminal?.Resize(columns, rows);

    /// <summary>Puts files in place of the running container's own. One that has ended needs none.</summary>
    /// <exception cref="StartException">What could not be written, and why.</exception>
    public void Write(IReadOnlyCollection<Protocol.Guest.File> files)
    {
        if (_pid is var pid and > 0)
            ContainerFileSystems.Write($"/proc/{pid}/root", files);
    }

    private StartException? StartInContainer()
    {
        Namespaces.Unshare(NamespaceKinds.Mount | NamespaceKinds.FileSystemAttributes | NamespaceKinds.Pid);
        Mount.MakePrivate("/");
        Mount.SwitchRoot(InitFileSystems.Root);
        ContainerFileSystems.Lay();
        ContainerFileSystems.Write(bundle.Files);
        Stage stage = Describe();
        ContainerFileSystems.MakeDirectories(stage.Cwd);

        StandardFiles files = bundle.Process.Terminal ? MakeTerminal() : MakePipes();
        Pipe specification = Pipe.Make(), report = Pipe.Make();
        using (files)
        using (specification.ReadEnd)
        using (report.WriteEnd)
            _pid = ChildProcess.Spawn(
                "/proc/self/exe", ["hyphactr", StageProcess.Argument],
                [files.Input, files.Output, files.ErrorOutput, specification.ReadEnd, report.WriteEnd]);

        using (specification.WriteEnd)
            WriteAll(specification.WriteEnd, stage.ToByteArray());
        using (report.ReadEnd)
        {
            StartException? failure = StageProcess.ReadReport(report.ReadEnd);
            if (failure is not null)
                _pid = 0; // its exit is not the container's
            return failure;
        }
    }

    private Stage Describe()
    {
        Process process = bundle.Process;
        Identity identity = Identity.Resolve(process.User, process.AdditionalGroups, ReadIfThere("/etc/passwd"), ReadIfThere("/etc/group"));
        var stage = new Stage
        {
            Cwd = process.Cwd.Length > 0 ? process.Cwd : "/",
            Uid = identity.Uid,
            Gid = identity.Gid,
            Terminal = process.Terminal,
            ReadOnly = bundle.Root.ReadOnly,
        };
        if (!stage.Cwd.StartsWith('/'))
            throw new StartException(StartException.CannotStart, $"the working directory \"{stage.Cwd}\" is not an absolute path");
        stage.Args.Add(process.Args);
        stage.Env.Add(process.Env);
        if (!process.Env.Any(variable => variable.StartsWith("HOME=", StringComparison.Ordinal)))
            stage.Env.Add($"HOME={identity.Home}");
        stage.Groups.Add(identity.AdditionalGroups);
        stage.Limits.Add(ResourceLimits.Resolve(process.Limits));
        return stage;
    }

    private StandardFiles MakeTerminal()
    {
        _terminal = PseudoTerminal.Make("/dev/pts");
        ContainerFileSystems.LayConsole(_terminal.Path);
        if (bundle.Process is { Columns: > 0, Rows: > 0 })
            _terminal.Resize(bundle.Process.Columns, bundle.Process.Rows);
        FileDescriptor end = _terminal.OpenProgramEnd();
        FileDescriptor master = _terminal.Master;
        _startStreams = () =>
        {
            ErrorOutput.End();
            OutputPump.Start(master, Output, "terminal");
            // A terminal without input is one at which nobody types.
            OpenInput(bundle.Process.OpenStdin ? master : null, closes: false);
        };
        return new StandardFiles(end, end, end);
    }

    private StandardFiles MakePipes()
    {
        Pipe output = Pipe.Make(), error = Pipe.Make();
        Pipe? input = bundle.Process.OpenStdin ? Pipe.Make() : null;
        _startStreams = () =>
        {
            OutputPump.Start(output.ReadEnd, Output, "stdout");
            OutputPump.Start(error.ReadEnd, ErrorOutput, "stderr");
            OpenInput(input?.WriteEnd, closes: true);
        };
        return new StandardFiles(input?.ReadEnd ?? FileDescriptor.Open("/dev/null", OpenFlags.ReadOnly), output.WriteEnd, error.WriteEnd);
    }

    private void OpenInput(FileDescriptor? target, bool closes)
    {
        if (target is null)
            Input.Shut();
        else
            Input.Open(target, closes);
    }

    private static void WriteAll(FileDescriptor pipe, ReadOnlySpan<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
                bytes = bytes[pipe.Write(bytes, "writing to the second stage")..];
        }
        catch (LinuxException e) when (e.Error == Errno.EPIPE)
        {
            // It died; its report or exit tells.
        }
    }

    private static string ReadIfThere(string path) => System.IO.File.Exists(path) ? System.IO.File.ReadAllText(path) : "";

    private static int BufferSize(Bundle bundle) => bundle.OutputBuffer == 0 ? DefaultBuffer : (int)Math.Clamp(bundle.OutputBuffer, 4096, LargestBuffer);

    private sealed record StandardFiles(FileDescriptor Input, FileDescriptor Output, FileDescriptor ErrorOutput) : IDisposable
    {
        public void Dispose()
        {
            Input.Dispose();
            Output.Dispose();
            ErrorOutput.Dispose();
        }
    }
}
