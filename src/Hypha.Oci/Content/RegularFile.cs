using Hypha.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hypha.Oci.Content;

/// <summary>Opens a file of a layout that somebody else made: no pipe in its place may make us wait.</summary>
internal static class RegularFile
{
    internal static FileStream Open(string path, string what)
    {
        try
        {
            FileDescriptor descriptor = FileDescriptor.Open(path, OpenFlags.ReadOnly | OpenFlags.NonBlocking | OpenFlags.NoControllingTerminal);
            var file = new SafeFileHandle(descriptor.Number, ownsHandle: true);
            descriptor.SetHandleAsInvalid(); // handed over
            try
            {
                var stream = new FileStream(file, FileAccess.Read, bufferSize: 0);
                return stream.CanSeek ? stream : throw new ImageException($"{what}: {Printable.Quote(path)} is not a regular file");
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (LinuxException e) when (e.Error == Errno.ENOENT)
        {
            throw new ImageException($"{what}: {Printable.Quote(path)} does not exist", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ImageException($"{what}: {Printable.Quote(path)} cannot be read: {e.Message}", e);
        }
    }
}
