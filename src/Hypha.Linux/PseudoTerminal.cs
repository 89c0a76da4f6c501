using System.Runtime.InteropServices;
using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>A new terminal of a devpts of one's choice (pty(7)): <see cref="Master"/> for whoever plays the person, the other end for the program.</summary>
public sealed class PseudoTerminal : IDisposable
{
    // asm-generic/ioctls.h
    private const nuint GetNumber = 0x80045430; // TIOCGPTN
    private const nuint SetLock = 0x40045431; // TIOCSPTLCK
    private const nuint SetSize = 0x5414; // TIOCSWINSZ
    private const nuint SetControlling = 0x540E; // TIOCSCTTY

    private readonly string _directory;
    private readonly int _number;

    private PseudoTerminal(FileDescriptor master, string directory, int number) => (Master, _directory, _number) = (master, directory, number);

    public FileDescriptor Master { get; }

    /// <summary>The program's end as a path in the file system where it was made: "/dev/pts/0".</summary>
    public string Path => $"{_directory}/{_number}";

    /// <param name="directory">Where a devpts is mounted.</param>
    public static unsafe PseudoTerminal Make(string directory)
    {
        FileDescriptor master = FileDescriptor.Open($"{directory}/ptmx", OpenFlags.ReadWrite | OpenFlags.NoControllingTerminal);
        int number = 0, locked = 0;
        master.Ioctl(GetNumber, (nint)(&number), "asking for a terminal's number");
        master.Ioctl(SetLock, (nint)(&locked), "unlocking a terminal");
        return new PseudoTerminal(master, directory, number);
    }

    public FileDescriptor OpenProgramEnd() => FileDescriptor.Open(Path, OpenFlags.ReadWrite | OpenFlags.NoControllingTerminal);

    /// <summary>Sets the size; the foreground processes get SIGWINCH when it changed.</summary>
    public unsafe void Resize(uint columns, uint rows)
    {
        var size = new Libc.WinSize { ws_col = (ushort)Math.Min(columns, ushort.MaxValue), ws_row = (ushort)Math.Min(rows, ushort.MaxValue) };
        Master.Ioctl(SetSize, (nint)(&size), $"setting a terminal's size to {columns}x{rows}");
    }

    /// <summary>Makes a terminal the calling session's; the caller leads its session and has none yet.</summary>
    public static void TakeAsControlling(FileDescriptor terminal) => terminal.Ioctl(SetControlling, 0, "taking a controlling terminal");

    public void Dispose() => Master.Dispose();
}
