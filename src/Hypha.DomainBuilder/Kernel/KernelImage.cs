using Microsoft.Win32.SafeHandles;

namespace Hypha.DomainBuilder.Kernel;

/// <summary>A kernel ready to be copied into a domain.</summary>
public sealed class KernelImage : IDisposable
{
    private readonly KernelBytes _bytes;

    private KernelImage(string name, KernelBytes bytes)
    {
        Name = name;
        _bytes = bytes;
        Elf = ElfImage.Parse(bytes);
    }

    /// <summary>For messages: the path it came from.</summary>
    public string Name { get; }

    public ElfImage Elf { get; }

    /// <summary>Reads and unpacks a kernel into memory. Who launches more than once uses a <see cref="KernelCache"/>.</summary>
    /// <exception cref="KernelImageException">A sentence that names the file and says why it cannot be used.</exception>
    public static KernelImage Load(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            return Load(file, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, e);
        }
    }

    /// <summary>As <see cref="Load(string)"/>, from bytes; <paramref name="name"/> is for messages.</summary>
    public static KernelImage Load(ReadOnlyMemory<byte> bytes, string name)
    {
        using MemoryStream file = new(bytes.ToArray(), writable: false);
        return Load(file, name);
    }

    /// <summary>Copies bytes of a segment, from <paramref name="offset"/> within it.</summary>
    public void Read(in ElfSegment segment, long offset, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + target.Length, segment.FileSize);
        _bytes.Read(segment.Offset + offset, target);
    }

    public void Dispose() => _bytes.Dispose();

    /// <summary>Takes over the handle of a file that holds a plain ELF image.</summary>
    internal static KernelImage OfElf(SafeFileHandle file, string name) => new(name, KernelBytes.Of(file));

    /// <summary>Makes any failure of reading a kernel one sentence with the file's name in it.</summary>
    internal static KernelImageException Unusable(string name, Exception cause) => cause switch
    {
        FileNotFoundException or DirectoryNotFoundException => new($"cannot use the kernel {name}: there is no such file", cause),
        UnauthorizedAccessException when Directory.Exists(name) => new($"cannot use the kernel {name}: it is a directory", cause),
        UnauthorizedAccessException => new($"cannot use the kernel {name}: permission denied", cause),
        _ => new($"cannot use the kernel {name}: {cause.Message}", cause),
    };

    private static KernelImage Load(Stream file, string name)
    {
        try
        {
            KernelUnpacker.Open(file, out Stream elf);
            using (elf)
            {
                MemoryStream unpacked = new();
                elf.CopyTo(unpacked, 128 * 1024);
                return new KernelImage(name, KernelBytes.Of(unpacked.GetBuffer().AsMemory(0, (int)unpacked.Length)));
            }
        }
        catch (KernelImageException e)
        {
            throw Unusable(name, e);
        }
    }
}
