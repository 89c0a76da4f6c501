using System.Diagnostics;
using System.Text;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.DomainBuilder.Tests.Kernel;

/// <summary>Small kernels that nothing could run but everything can load: an ELF file with Xen's notes, and bzImages around it.</summary>
internal sealed class SyntheticKernel
{
    public const ulong VirtBase = 0xffffffff80000000;
    public const ulong PhysicalStart = 0x100000;

    public int TextSize { get; init; } = 3 * 4096 + 123;
    public int BssSize { get; init; } = 5 * 4096;
    public ulong? InitP2M { get; init; } = 0x8000000000;
    public bool ModStartPfn { get; init; } = true;
    public bool HypercallPage { get; init; }
    public bool Notes { get; init; } = true;
    public string Features { get; init; } = "!writable_page_tables|pae_pgdir_above_4gb";

    public static ulong Entry => VirtBase + PhysicalStart + 0x40;
    public ulong HypercallPageAddress => VirtBase + PhysicalStart + 0x1000;
    public ulong End => PhysicalStart + (ulong)TextSize + (ulong)BssSize;

    public byte[] Text()
    {
        byte[] text = new byte[TextSize];
        new Random(7).NextBytes(text);
        text[^1] = 0x5a;
        return text;
    }

    /// <summary>One segment whose last bytes are zero in the file and beyond it, as Linux's last segment is.</summary>
    public byte[] Elf(int zeroesInFile = 4096)
    {
        byte[] notes = Notes ? NoteBytes() : [];
        int textAt = (64 + 2 * 56 + notes.Length + 4095) & ~4095;
        byte[] file = new byte[textAt + TextSize + zeroesInFile];
        Span<byte> header = file;
        new byte[] { 0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1 }.CopyTo(header);
        WriteUInt16LittleEndian(header[16..], 2);
        WriteUInt16LittleEndian(header[18..], 62);
        WriteUInt64LittleEndian(header[24..], PhysicalStart);
        WriteUInt64LittleEndian(header[32..], 64);
        WriteUInt16LittleEndian(header[54..], 56);
        WriteUInt16LittleEndian(header[56..], 2);
        ProgramHeader(header[64..], 1, textAt, VirtBase + PhysicalStart, PhysicalStart, TextSize + zeroesInFile, TextSize + Math.Max(BssSize, zeroesInFile));
        ProgramHeader(header[120..], 4, 176, 0, 0, notes.Length, notes.Length);
        notes.CopyTo(header[176..]);
        Text().CopyTo(header[textAt..]);
        return file;
    }

    /// <summary>A bzImage of <see cref="Elf"/>: boot.rst's header, a payload, and whatever follows it.</summary>
    public static byte[] BzImage(byte[] payload, byte setupSectors = 2)
    {
        int codeAt = ((setupSectors == 0 ? 4 : setupSectors) + 1) * 512, payloadAt = 700;
        byte[] file = new byte[codeAt + payloadAt + payload.Length + 333];
        Span<byte> bytes = file;
        bytes[0x1f1] = setupSectors;
        "HdrS"u8.CopyTo(bytes[0x202..]);
        WriteUInt16LittleEndian(bytes[0x206..], 0x20f);
        WriteInt32LittleEndian(bytes[0x248..], payloadAt);
        WriteInt32LittleEndian(bytes[0x24c..], payload.Length);
        payload.CopyTo(bytes[(codeAt + payloadAt)..]);
        return file;
    }

    /// <summary>As Linux's build packs it: by the system's tool, the unpacked size behind it unless it is gzip.</summary>
    public static byte[] Pack(byte[] elf, string tool)
    {
        if (tool == "none")
            return elf;
        string[] arguments = tool switch
        {
            "gzip" => ["-n", "-f", "-9"],
            "bzip2" => ["-9"],
            "lzma" => ["--format=lzma", "-9"],
            "xz" => ["--check=crc32", "--x86", "--lzma2=dict=32MiB"],
            "lz4" => ["-l", "-9"],
            "zstd" => ["-22", "--ultra"],
            _ => throw new ArgumentOutOfRangeException(nameof(tool)),
        };
        ProcessStartInfo start = new(tool == "lzma" ? "xz" : tool, [.. arguments, "-c"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        Task writing = Task.Run(() =>
        {
            process.StandardInput.BaseStream.Write(elf);
            process.StandardInput.Close();
        });
        MemoryStream packed = new();
        process.StandardOutput.BaseStream.CopyTo(packed);
        writing.Wait();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        if (tool != "gzip")
            packed.Write(BitConverter.GetBytes(elf.Length));
        return packed.ToArray();
    }

    private byte[] NoteBytes()
    {
        MemoryStream notes = new();
        Add(6, "linux\0"u8);
        Add(5, "xen-3.0\0"u8);
        Add(8, "generic\0"u8);
        Number(3, VirtBase);
        Number(1, Entry);
        if (HypercallPage)
            Number(2, HypercallPageAddress);
        Add(10, Encoding.ASCII.GetBytes(Features + "\0"));
        if (InitP2M is { } p2m)
            Number(15, p2m);
        if (ModStartPfn)
            Add(16, [1, 0, 0, 0]);
        return notes.ToArray();

        void Number(uint type, ulong value) => Add(type, BitConverter.GetBytes(value));

        void Add(uint type, ReadOnlySpan<byte> value)
        {
            notes.Write(BitConverter.GetBytes(4u));
            notes.Write(BitConverter.GetBytes((uint)value.Length));
            notes.Write(BitConverter.GetBytes(type));
            notes.Write("Xen\0"u8);
            notes.Write(value);
            notes.Write(new byte[-value.Length & 3]);
        }
    }

    private static void ProgramHeader(Span<byte> at, uint type, int offset, ulong virtualAddress, ulong physicalAddress, int size, int memory)
    {
        WriteUInt32LittleEndian(at, type);
        WriteUInt32LittleEndian(at[4..], 7);
        WriteInt64LittleEndian(at[8..], offset);
        WriteUInt64LittleEndian(at[16..], virtualAddress);
        WriteUInt64LittleEndian(at[24..], physicalAddress);
        WriteInt64LittleEndian(at[32..], size);
        WriteInt64LittleEndian(at[40..], memory);
    }
}
