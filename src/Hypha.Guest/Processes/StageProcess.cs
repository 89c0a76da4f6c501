using System.Text;
using Google.Protobuf;
using Hypha.Guest.Start;
using Hypha.Linux;
using Hypha.Protocol.Guest;

namespace Hypha.Guest.Processes;

/// <summary>
/// The second stage: this executable, started anew as the first process of the container's pid namespace, does to itself what a
/// fork would have done, then becomes the container's program. It says on a pipe why it could not; the pipe closes by itself when it could.
/// </summary>
public static class StageProcess
{
    public const string Argument = "--hypha-stage";

    // Descriptors as Container passes them; 0, 1, 2 are the container's own.
    private const int SpecificationFile = 3;
    private const int ReportFile = 4;

    public static int Run()
    {
        using var report = new FileDescriptor(ReportFile);
        try
        {
            Stage stage = ReadSpecification();
            Become(stage);
            (uint code, string message) = Execute(stage);
            Report(report, code, message);
            return (int)code;
        }
        catch (Exception e)
        {
            Report(report, StartException.CannotStart, $"the container's process cannot be prepared: {e.Message}");
            return (int)StartException.CannotStart;
        }
    }

    /// <summary>Reads a report to its end.</summary>
    /// <returns>Null when the program runs.</returns>
    public static StartException? ReadReport(FileDescriptor pipe)
    {
        byte[] bytes = ReadAll(pipe);
        return bytes.Length == 0 ? null : new StartException(bytes[0], Encoding.UTF8.GetString(bytes.AsSpan(1)));
    }

    private static Stage ReadSpecification()
    {
        using var file = new FileDescriptor(SpecificationFile);
        return Stage.Parser.ParseFrom(ReadAll(file));
    }

    private static byte[] ReadAll(FileDescriptor file)
    {
        var all = new MemoryStream();
        var buffer = new byte[4096];
        int count;
        while ((count = file.Read(buffer, "reading a pipe")) > 0)
            all.Write(buffer, 0, count);
        return all.ToArray();
    }

    private static void Report(FileDescriptor pipe, uint code, string message) =>
        pipe.Write([(byte)code, .. Encoding.UTF8.GetBytes(message)], "reporting");

    private static void Become(Stage stage)
    {
        CallingProcess.BecomeSessionLeader();
        if (stage.Terminal)
        {
            using var terminal = new FileDescriptor(0).DuplicateFrom(ReportFile + 1);
            PseudoTerminal.TakeAsControlling(terminal);
        }
        ContainerFileSystems.LayOwn();
        if (stage.ReadOnly)
            Mount.Remount("/", MountFlags.ReadOnly);
        foreach (StageLimit limit in stage.Limits)
            CallingProcess.SetLimit((int)limit.Resource, limit.Soft, limit.Hard);
        FileNode.CreationMask(0x12); // 0022
        CallingProcess.ChangeDirectory(stage.Cwd);
        CallingProcess.SetIdentity(stage.Uid, stage.Gid, [.. stage.Groups]);
    }

    private static (uint Code, string Message) Execute(Stage stage)
    {
        CallingProcess.CloseOnExecute(3);
        string name = stage.Args[0];
        (uint, string)? failure = null;
        foreach (string candidate in ProgramSearch.Candidates(name, stage.Env))
        {
            // Last, and for each attempt anew: an ignored or blocked signal would stay so in the program.
            CallingProcess.ResetSignals();
            Errno error = CallingProcess.Execute(candidate, stage.Args, stage.Env);
            if (error is Errno.ENOENT or Errno.ENOTDIR && !System.IO.File.Exists(candidate))
                continue;
            failure ??= error is Errno.ENOENT
                ? (StartException.NotFound, $"exec: \"{candidate}\": the interpreter that it names is not in the image")
                : (StartException.NotExecutable, $"exec: \"{candidate}\": {error.Text()}");
        }
        if (failure is { } found)
            return found;
        return name.Contains('/')
            ? (StartException.NotFound, $"exec: \"{name}\": no such file or directory")
            : (StartException.NotFound, $"exec: \"{name}\": executable file not found in $PATH");
    }
}
