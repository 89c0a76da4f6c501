using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.DomainBuilder.Kernel;

/// <summary>What a domain builder wants of an ELF vmlinux: its entry, its loadable segments, its Xen notes (System V ABI, x86-64).</summary>
public sealed class ElfImage
{
    internal const int HeaderSize = 64;
    internal const int ProgramHeaderSize = 56;

    private const int MaxProgramHeaders = 64;
    private const int MaxNotes = 64 * 1024;
    private const uint PT_LOAD = 1, PT_NOTE = 4;
    private const ushort ET_EXEC = 2, ET_DYN = 3, EM_X86_64 = 62;

    /// <summary>e_entry, a physical address in Linux's files; a PV kernel is entered at its note's address instead.</summary>
    public required ulong Entry { get; init; }

    /// <summary>In the order of the file; at least one.</summary>
    public required IReadOnlyList<ElfSegment> Segments { get; init; }

    public required XenElfNotes Notes { get; init; }

    /// <summary>The bytes of all PT_NOTE segments, one after the other.</summary>
    internal byte[] NoteBytes { get; private init; } = [];

    /// <summary>First byte behind the file's last loadable one.</summary>
    internal long EndOfContent => Segments.Max(segment => segment.Offset + segment.FileSize);

    /// <exception cref="KernelImageException">Not a 64-bit x86 ELF file, truncated, or contradicting itself.</exception>
    internal static ElfImage Parse(KernelBytes file)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (file.Length < HeaderSize)
            throw new KernelImageException("the kernel is truncated: it ends inside its ELF header");
        file.Read(0, header);
        if (PayloadFormats.Detect(header) != PayloadFormat.Elf)
            throw new KernelImageException("what the kernel unpacks to is not an ELF file");
        if (header[4] != 2 || header[5] != 1 || ReadUInt16LittleEndian(header[18..]) != EM_X86_64)
            throw new KernelImageException("the kernel is not for 64-bit x86");
        if (ReadUInt16LittleEndian(header[16..]) is not (ET_EXEC or ET_DYN))
            throw new KernelImageException("the ELF file is not executable: a vmlinux is needed, not an object or a core file");

        ulong tableAt = ReadUInt64LittleEndian(header[32..]);
        int entrySize = ReadUInt16LittleEndian(header[54..]), count = ReadUInt16LittleEndian(header[56..]);
        if (entrySize != ProgramHeaderSize || count is 0 or > MaxProgramHeaders)
            throw new KernelImageException($"the kernel's ELF header is corrupt: {count} program headers of {entrySize} bytes");
        if (!Inside(file, tableAt, (ulong)(count * entrySize)))
            throw new KernelImageException("the kernel is truncated: its program headers lie outside of the file");
        byte[] table = new byte[count * entrySize];
        file.Read((long)tableAt, table);

        List<ElfSegment> segments = [];
        MemoryStream notes = new();
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = table.AsSpan(i * ProgramHeaderSize, ProgramHeaderSize);
            switch (ReadUInt32LittleEndian(entry))
            {
                case PT_LOAD:
                    if (ParseSegment(file, entry) is { MemorySize: > 0 } segment)
                        segments.Add(segment);
                    break;
                case PT_NOTE:
                    AppendNotes(file, entry, notes);
                    break;
            }
        }
        if (segments.Count == 0)
            throw new KernelImageException("the kernel has nothing to load");
        byte[] noteBytes = notes.ToArray();
        return new ElfImage
        {
            Entry = ReadUInt64LittleEndian(header[24..]),
            Segments = segments,
            Notes = XenElfNotes.Parse(noteBytes),
            NoteBytes = noteBytes,
        };
    }

    private static ElfSegment ParseSegment(KernelBytes file, ReadOnlySpan<byte> entry)
    {
        ulong offset = ReadUInt64LittleEndian(entry[8..]);
        ulong virtualAddress = ReadUInt64LittleEndian(entry[16..]), physicalAddress = ReadUInt64LittleEndian(entry[24..]);
        ulong fileSize = ReadUInt64LittleEndian(entry[32..]), memorySize = ReadUInt64LittleEndian(entry[40..]);
        if (!Inside(file, offset, fileSize))
            throw new KernelImageException(
                $"the kernel is truncated: a segment of {fileSize} bytes at {offset} lies outside of the file's {file.Length}");
        if (fileSize > memorySize || memorySize > (ulong)KernelUnpacker.MaxSize)
            throw new KernelImageException($"the kernel is corrupt: a segment of {fileSize} bytes wants {memorySize} in memory");
        if (physicalAddress + memorySize < physicalAddress)
            throw new KernelImageException($"the kernel is corrupt: a segment at 0x{physicalAddress:x} wraps around");
        return new ElfSegment(
            (long)offset, virtualAddress, physicalAddress, (long)fileSize, (long)memorySize, ReadUInt32LittleEndian(entry[4..]));
    }

    private static void AppendNotes(KernelBytes file, ReadOnlySpan<byte> entry, MemoryStream notes)
    {
        ulong offset = ReadUInt64LittleEndian(entry[8..]), size = ReadUInt64LittleEndian(entry[32..]);
        if (size > MaxNotes || notes.Length + (long)size > MaxNotes || !Inside(file, offset, size))
            throw new KernelImageException("the kernel's ELF notes are corrupt or lie outside of the file");
        byte[] bytes = new byte[(size + 3) & ~3ul]; // each note is a multiple of 4
        file.Read((long)offset, bytes.AsSpan(0, (int)size));
        notes.Write(bytes);
    }

    private static bool Inside(KernelBytes file, ulong offset, ulong size) =>
        offset <= (ulong)file.Length && size <= (ulong)file.Length - offset;
}
