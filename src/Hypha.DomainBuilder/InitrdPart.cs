using Microsoft.Win32.SafeHandles;

namespace Hypha.DomainBuilder;

/// <summary>
/// One initial RAM disk. A domain may have several: Linux unpacks them one after the other (Documentation/driver-api/early-userspace/buffer-format.rst).
/// </summary>
public sealed class InitrdPart : IDisposable
{
    private readonly SafeFileHandle? _file;
    private readonly ReadOnlyMemory<byte> _bytes;

    private InitrdPart(string name, long length, SafeFileHandle? file, ReadOnlyMemory<byte> bytes) =>
        (Name, Length, _file, _bytes) = (name, length, file, bytes);

    /// <summary>For messages.</summary>
    public string Name { get; }

    public long Length { get; }

    /// <exception cref="DomainBuildException">A sentence with the path in it.</exception>
    public static InitrdPart Open(string path)
    {
        try
        {
            SafeFileHandle file = File.OpenHandle(path);
            return new InitrdPart(path, RandomAccess.GetLength(file), file, default);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            string why = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "there is no such file",
                UnauthorizedAccessException when Directory.Exists(path) => "it is a directory",
                UnauthorizedAccessException => "permission denied",
                _ => e.Message,
            };
            throw new DomainBuildException($"cannot use the initrd {path}: {why}", e);
        }
    }

    public static InitrdPart Of(ReadOnlyMemory<byte> bytes, string name) => new(name, bytes.Length, null, bytes);

    /// <summary>Copies the whole of it.</summary>
    internal void CopyTo(Span<byte> target)
    {
        if (_file is null)
        {
            _bytes.Span.CopyTo(target);
            return;
        }
        for (long offset = 0; offset < Length;)
        {
            int n = RandomAccess.Read(_file, target[(int)offset..(int)Length], offset);
            if (n == 0)
                throw new DomainBuildException($"cannot use the initrd {Name}: it became shorter while it was read");
            offset += n;
        }
    }

    public void Dispose() => _file?.Dispose();
}
