using System.Text;
using Hypha.Linux;

namespace Hypha.Guest;

/// <summary>The init's voice: the kernel's console, a line a message.</summary>
public sealed class InitConsole(FileDescriptor? device)
{
    private readonly Lock _gate = new();

    /// <summary>Print what is done, too.</summary>
    public bool IsDebugging { get; set; }

    public static InitConsole Open()
    {
        try
        {
            return new InitConsole(FileDescriptor.Open("/dev/console", OpenFlags.WriteOnly | OpenFlags.NoControllingTerminal));
        }
        catch (LinuxException)
        {
            return new InitConsole(null); // a kernel without a console: nobody to tell
        }
    }

    public void Debug(string message)
    {
        if (IsDebugging)
            Print(message);
    }

    public void Print(string message)
    {
        if (device is null)
            return;
        ReadOnlySpan<byte> line = Encoding.UTF8.GetBytes($"hypha: {message}\r\n");
        lock (_gate)
        {
            try
            {
                while (!line.IsEmpty)
                    line = line[device.Write(line, "writing to the console")..];
            }
            catch (LinuxException)
            {
                // The console is how we would tell.
            }
        }
    }
}
