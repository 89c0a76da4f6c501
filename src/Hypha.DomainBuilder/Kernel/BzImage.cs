using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.DomainBuilder.Kernel;

/// <summary>Where in a bzImage its compressed kernel lies (Linux, Documentation/x86/boot.rst, "The Real-Mode Kernel Header").</summary>
internal readonly record struct BzImage(long PayloadOffset, long PayloadLength)
{
    /// <summary>Bytes of the file that <see cref="Parse"/> wants to see.</summary>
    public const int HeaderSize = 0x250;

    private const int SetupSectors = 0x1f1;   // 1 byte
    private const int Magic = 0x202;          // 4 bytes, "HdrS"
    private const int Version = 0x206;        // 2 bytes, major.minor
    private const int PayloadAt = 0x248;      // 4 bytes, from the start of the protected-mode code
    private const int PayloadSize = 0x24c;    // 4 bytes
    private const int SectorSize = 512;

    public static bool IsBzImage(ReadOnlySpan<byte> head) =>
        head.Length >= Magic + 4 && head.Slice(Magic, 4).SequenceEqual("HdrS"u8);

    /// <param name="head">The file's first bytes, <see cref="HeaderSize"/> of them or the whole file.</param>
    /// <param name="fileLength">The file's length in bytes.</param>
    /// <exception cref="KernelImageException">The header contradicts the file, or is older than Linux 2.6.24's.</exception>
    public static BzImage Parse(ReadOnlySpan<byte> head, long fileLength)
    {
        if (head.Length < HeaderSize)
            throw new KernelImageException("the kernel is truncated: it ends inside its setup header");
        ushort version = ReadUInt16LittleEndian(head[Version..]);
        if (version < 0x208)
            throw new KernelImageException(
                $"the kernel's boot protocol {version >> 8}.{version & 0xff:D2} is too old: 2.08 (Linux 2.6.24) or later is needed");

        // boot.rst: "for backwards compatibility, if the setup_sects field contains 0, the real value is 4".
        int sectors = head[SetupSectors] == 0 ? 4 : head[SetupSectors];
        long offset = (sectors + 1L) * SectorSize + ReadUInt32LittleEndian(head[PayloadAt..]);
        long length = ReadUInt32LittleEndian(head[PayloadSize..]);
        if (length == 0)
            throw new KernelImageException("the kernel's setup header names no payload");
        if (offset + length > fileLength)
            throw new KernelImageException(
                $"the kernel is truncated: its payload should end at byte {offset + length}, the file at {fileLength}");
        return new BzImage(offset, length);
    }
}
