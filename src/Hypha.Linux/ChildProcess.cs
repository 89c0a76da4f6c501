using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>Starting programs and learning how they ended. .NET's own Process takes over SIGCHLD, which an init cannot have.</summary>
public static class ChildProcess
{
    /// <summary>Starts a program in the calling thread's namespaces, with nothing of this process but the files given.</summary>
    /// <param name="files">Become the child's descriptors 0, 1, 2, ... in this order.</param>
    /// <exception cref="LinuxException">The program could not be started.</exception>
    public static unsafe int Spawn(string path, IReadOnlyList<string> arguments, IReadOnlyList<FileDescriptor> files)
    {
        // Above every target, so that no dup2 overwrites a source which is still needed.
        var sources = new List<FileDescriptor>();
        var actions = new Libc.SpawnFileActions();
        Libc.posix_spawn_file_actions_init(ref actions);
        using var argv = new CStringArray(arguments);
        using var envp = new CStringArray([]);
        try
        {
            for (int i = 0; i < files.Count; i++)
            {
                FileDescriptor source = files[i].DuplicateFrom(files.Count + 10);
                sources.Add(source);
                Libc.posix_spawn_file_actions_adddup2(ref actions, source.Number, i);
            }
            int error = Libc.posix_spawn(out int pid, path, actions, null, argv.Pointer, envp.Pointer);
            return error == 0 ? pid : throw new LinuxException($"starting {path}", (Errno)error);
        }
        finally
        {
            Libc.posix_spawn_file_actions_destroy(ref actions);
            sources.ForEach(source => source.Dispose());
        }
    }

    /// <summary>Waits, for as long as it takes, until any child ends, and takes it off the kernel's table.</summary>
    /// <returns>Null when there is no child.</returns>
    public static ChildExit? WaitAny()
    {
        while (true)
        {
            if (Libc.waitid(Libc.P_ALL, 0, out Libc.SigInfo info, Libc.WEXITED) == 0)
                return new ChildExit(info.si_pid, Signaled: info.si_code != Libc.CLD_EXITED, info.si_status);
            switch ((Errno)Marshal.GetLastPInvokeError())
            {
                case Errno.EINTR: continue;
                case Errno.ECHILD: return null;
                default: throw LinuxException.FromLastError("waiting for a child");
            }
        }
    }

    /// <returns>False when there is no such process any more.</returns>
    public static bool Kill(int pid, int signal)
    {
        if (Libc.kill(pid, signal) == 0)
            return true;
        return (Errno)Marshal.GetLastPInvokeError() == Errno.ESRCH ? false : throw LinuxException.FromLastError($"sending signal {signal} to process {pid}");
    }
}

/// <summary>How a child ended: by <c>exit(Value)</c>, or by signal <c>Value</c>.</summary>
public readonly record struct ChildExit(int Pid, bool Signaled, int Value);
