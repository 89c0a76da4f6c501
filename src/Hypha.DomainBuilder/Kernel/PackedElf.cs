using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.DomainBuilder.Kernel;

/// <summary>
/// Writes a kernel as an ELF file of nothing but what is loaded: no sections, no symbols, and no zeroes at the end of a segment
/// (Linux's .bss and .brk lie in the file when it came out of a bzImage: 18 of Debian's 63 MiB). A launch reads less.
/// </summary>
internal static class PackedElf
{
    private const uint PT_LOAD = 1, PT_NOTE = 4, PF_R = 4;
    private const int Page = 4096;

    public static void Write(KernelImage kernel, Stream target)
    {
        ElfImage elf = kernel.Elf;
        byte[] buffer = new byte[256 * 1024];
        int headers = ElfImage.HeaderSize + ElfImage.ProgramHeaderSize * (elf.Segments.Count + 1);
        long at = AlignUp(headers + elf.NoteBytes.Length);
        List<ElfSegment> packed = [];
        foreach (ElfSegment segment in elf.Segments)
        {
            long size = TrimmedSize(kernel, segment, buffer);
            packed.Add(segment with { Offset = at, FileSize = size });
            at = AlignUp(at + size);
        }

        target.Write(Headers(elf, packed, headers));
        target.Write(elf.NoteBytes);
        for (int i = 0; i < packed.Count; i++)
        {
            target.Position = packed[i].Offset;
            for (long done = 0; done < packed[i].FileSize;)
            {
                Span<byte> part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, packed[i].FileSize - done));
                kernel.Read(elf.Segments[i], done, part);
                target.Write(part);
                done += part.Length;
            }
        }
    }

    /// <summary>The segment's size up to its last byte that is not zero.</summary>
    private static long TrimmedSize(KernelImage kernel, in ElfSegment segment, byte[] buffer)
    {
        for (long end = segment.FileSize; end > 0;)
        {
            Span<byte> part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, end));
            kernel.Read(segment, end - part.Length, part);
            int last = part.LastIndexOfAnyExcept((byte)0);
            if (last >= 0)
                return end - part.Length + last + 1;
            end -= part.Length;
        }
        return 0;
    }

    private static byte[] Headers(ElfImage elf, List<ElfSegment> segments, int size)
    {
        byte[] bytes = new byte[size];
        Span<byte> header = bytes;
        "\x7f"u8.CopyTo(header);
        "ELF"u8.CopyTo(header[1..]);
        header[4] = 2;                                              // ELFCLASS64
        header[5] = 1;                                              // ELFDATA2LSB
        header[6] = 1;                                              // EV_CURRENT
        WriteUInt16LittleEndian(header[16..], 2);                   // ET_EXEC
        WriteUInt16LittleEndian(header[18..], 62);                  // EM_X86_64
        WriteUInt32LittleEndian(header[20..], 1);                   // EV_CURRENT
        WriteUInt64LittleEndian(header[24..], elf.Entry);
        WriteUInt64LittleEndian(header[32..], ElfImage.HeaderSize); // program headers follow at once
        WriteUInt16LittleEndian(header[52..], ElfImage.HeaderSize);
        WriteUInt16LittleEndian(header[54..], ElfImage.ProgramHeaderSize);
        WriteUInt16LittleEndian(header[56..], (ushort)(segments.Count + 1));

        Span<byte> entry = header[ElfImage.HeaderSize..];
        ProgramHeader(entry, PT_NOTE, new ElfSegment(size, 0, 0, elf.NoteBytes.Length, elf.NoteBytes.Length, PF_R), alignment: 4);
        foreach (ElfSegment segment in segments)
        {
            entry = entry[ElfImage.ProgramHeaderSize..];
            ProgramHeader(entry, PT_LOAD, segment, Page);
        }
        return bytes;
    }

    private static void ProgramHeader(Span<byte> entry, uint type, in ElfSegment segment, ulong alignment)
    {
        WriteUInt32LittleEndian(entry, type);
        WriteUInt32LittleEndian(entry[4..], segment.Flags);
        WriteInt64LittleEndian(entry[8..], segment.Offset);
        WriteUInt64LittleEndian(entry[16..], segment.VirtualAddress);
        WriteUInt64LittleEndian(entry[24..], segment.PhysicalAddress);
        WriteInt64LittleEndian(entry[32..], segment.FileSize);
        WriteInt64LittleEndian(entry[40..], segment.MemorySize);
        WriteUInt64LittleEndian(entry[48..], alignment);
    }

    private static long AlignUp(long offset) => (offset + Page - 1) & -Page;
}
