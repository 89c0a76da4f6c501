using System.Security.Cryptography;
using Hypha.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hypha.DomainBuilder.Kernel;

/// <summary>
/// Unpacked kernels on disk, by the digest of the file that they came from. A launch opens one and reads it straight into the
/// guest; nothing of it stays in memory, and a kernel file that is replaced or cut short meanwhile harms nobody.
/// </summary>
/// <remarks>
/// <c>sha256-HEX.elf</c> are the kernels (see <see cref="PackedElf"/>); <c>by-identity/…</c> are symbolic links to them, named by
/// device, inode, size and times of a kernel file, so that a known file is not hashed again.
/// </remarks>
/// <param name="directory">Made when it is missing; writable by the owner alone.</param>
public sealed class KernelCache(string directory)
{
    // Bumped when PackedElf changes what it writes.
    private const string Prefix = "v1-sha256-";

    private static readonly TimeSpan _timeStampGranularity = TimeSpan.FromSeconds(2);

    private readonly Lock _unpacking = new();
    private readonly string _links = Path.Combine(directory, "by-identity");

    /// <summary>The kernel in <paramref name="path"/>, unpacked now or before.</summary>
    /// <exception cref="KernelImageException">A sentence that names the file and says why it cannot be used.</exception>
    public KernelImage Open(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            string link = Path.Combine(_links, LinkName(FileIdentity.Of(file.SafeFileHandle)));
            return TryOpen(link, path) ?? OpenUnknown(file, link, path);
        }
        catch (Exception e) when (e is KernelImageException or IOException or UnauthorizedAccessException)
        {
            throw KernelImage.Unusable(path, e);
        }
    }

    private KernelImage OpenUnknown(FileStream file, string link, string path)
    {
        // One at a time: two launches with one new kernel unpack it once.
        lock (_unpacking)
        {
            Directory.CreateDirectory(_links, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            FileIdentity before = FileIdentity.Of(file.SafeFileHandle);
            string name = $"{Prefix}{Convert.ToHexStringLower(SHA256.HashData(file))}.elf";
            string cached = Path.Combine(directory, name);
            KernelImage kernel = TryOpen(cached, path) ?? Unpack(file, cached, path);
            // A file that is being written may change again within one tick of its time stamps: hash it again next time.
            if (FileIdentity.Of(file.SafeFileHandle) == before && DateTimeOffset.UtcNow - before.ChangedAt > _timeStampGranularity)
                Link(link, name);
            return kernel;
        }
    }

    private static KernelImage Unpack(FileStream file, string cached, string path)
    {
        string unpackedPath = $"{cached}.unpacked-{Environment.ProcessId}", packedPath = $"{cached}.new-{Environment.ProcessId}";
        try
        {
            KernelUnpacker.Open(file, out Stream elf);
            using (elf)
            using (FileStream unpacked = Create(unpackedPath))
                elf.CopyTo(unpacked, 128 * 1024);
            using (KernelImage kernel = KernelImage.OfElf(File.OpenHandle(unpackedPath), path))
            using (FileStream packed = Create(packedPath))
            {
                PackedElf.Write(kernel, packed);
                packed.Flush(flushToDisk: true); // a name must never stand for a file that a power cut emptied
            }
            File.Move(packedPath, cached, overwrite: true);
            return KernelImage.OfElf(File.OpenHandle(cached), path);
        }
        finally
        {
            File.Delete(unpackedPath);
            File.Delete(packedPath);
        }
    }

    private static KernelImage? TryOpen(string cached, string path)
    {
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(cached);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        return KernelImage.OfElf(handle, path);
    }

    private static void Link(string link, string name)
    {
        string fresh = $"{link}.new-{Environment.ProcessId}";
        File.Delete(fresh);
        File.CreateSymbolicLink(fresh, Path.Combine("..", name));
        File.Move(fresh, link, overwrite: true);
    }

    private static string LinkName(in FileIdentity file) =>
        $"{file.DeviceMajor}-{file.DeviceMinor}-{file.Inode}-{file.Size}-{file.ModifiedNanoseconds}-{file.ChangedNanoseconds}";

    private static FileStream Create(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Create,
        Access = FileAccess.ReadWrite,
        BufferSize = 1 << 20,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });
}
