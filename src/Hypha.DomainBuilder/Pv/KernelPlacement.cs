using Hypha.DomainBuilder.Kernel;

namespace Hypha.DomainBuilder.Pv;

/// <summary>Where a segment of the kernel goes: pages that get bytes of the file, and behind them pages of zeroes alone.</summary>
/// <param name="Segment">The segment.</param>
/// <param name="Offset">Of its first byte in its first page.</param>
/// <param name="Content">Pages that hold at least one byte of the file.</param>
/// <param name="Zeroes">The pages behind them that the segment reaches into.</param>
internal readonly record struct KernelPlacement(ElfSegment Segment, int Offset, PageRange Content, PageRange Zeroes)
{
    private const ulong PageSize = 4096;

    public static List<KernelPlacement> Of(ElfImage elf)
    {
        List<KernelPlacement> placements = [];
        foreach (ElfSegment segment in elf.Segments)
        {
            ulong at = segment.PhysicalAddress - elf.Notes.PaddrOffset, first = at / PageSize;
            ulong contentEnd = segment.FileSize == 0 ? first : (at + (ulong)segment.FileSize + PageSize - 1) / PageSize;
            ulong end = (at + (ulong)segment.MemorySize + PageSize - 1) / PageSize;
            placements.Add(new KernelPlacement(
                segment, (int)(at % PageSize), new PageRange(first, contentEnd - first), new PageRange(contentEnd, end - contentEnd)));
        }
        return placements;
    }

    /// <summary>Copies the file's bytes; zeroes what is left of the segment in its last page.</summary>
    public void Copy(KernelImage kernel, Span<byte> pages)
    {
        if (Content.Count == 0)
            return;
        Span<byte> memory = pages[Offset..];
        memory = memory[..(int)Math.Min(memory.Length, Segment.MemorySize)];
        kernel.Read(Segment, 0, memory[..(int)Segment.FileSize]);
        memory[(int)Segment.FileSize..].Clear();
    }
}
