using Hypha.Linux;

namespace Hypha.Guest.Streams;

/// <summary>Reads a container's pipe or terminal into its buffer until the end, in a thread that sleeps in read(2).</summary>
public static class OutputPump
{
    private const int PieceSize = 16 * 1024;
    private const int StackSize = 256 * 1024;

    public static void Start(FileDescriptor source, OutputBuffer buffer, string name) =>
        new Thread(() => Run(source, buffer), StackSize) { Name = name, IsBackground = true }.Start();

    private static void Run(FileDescriptor source, OutputBuffer buffer)
    {
        var piece = new byte[PieceSize];
        try
        {
            int count;
            while ((count = source.Read(piece, "reading the container's output")) > 0)
                buffer.Append(piece.AsSpan(0, count));
        }
        catch (LinuxException e) when (e.Error == Errno.EIO)
        {
            // How a terminal says that its last program has gone.
        }
        finally
        {
            buffer.End();
            // A terminal's stays open: it is the input's, too.
        }
    }
}
