using System.Runtime.InteropServices;

namespace Hypha.DomainBuilder.Pv;

/// <summary>Fills a PV guest's first page tables, in the guest's memory.</summary>
/// <remarks>
/// Entries name machine frames. Xen refuses tables that can be written through any mapping: those of tables are read-only
/// (xen.h, MMU_NORMAL_PT_UPDATE). The user bit of last-level entries is Xen's to add, for the kernel runs in ring 3.
/// </remarks>
internal static class PageTableWriter
{
    private const ulong Present = 1, Writable = 2, User = 4, Accessed = 0x20, Dirty = 0x40;
    private const ulong PageFlags = Present | Writable | Accessed | Dirty;
    private const ulong TableFlags = Present | Writable | User | Accessed | Dirty;

    /// <summary>
    /// The initial region: the layout's first pages, one to one. <paramref name="memory"/> are the pages of
    /// <see cref="PvLayout.PageTables"/>, zeroed.
    /// </summary>
    public static void WriteRegion(PvLayout layout, GuestFrames frames, Span<byte> memory)
    {
        TableSpan span = layout.Region;
        Span<ulong> entries = MemoryMarshal.Cast<byte, ulong>(memory);
        Span<ulong> l1 = WriteUpper(span, frames, layout.PageTables.Start + 1, entries[512..], entries[..512]);
        PageRange mapped = new(0, Math.Min(layout.MappedEnd, layout.Pages));
        l1 = l1[span.Index(span.Start, TableSpan.PageShift)..][..(int)mapped.Count];
        WritePages(mapped, frames, l1, PageFlags);
        MakeReadOnly(l1, layout.PageTables);
        MakeReadOnly(l1, layout.P2MTables);
    }

    /// <summary>
    /// The p2m list at its own address. <paramref name="memory"/> are the pages of <see cref="PvLayout.P2MTables"/>, zeroed;
    /// <paramref name="top"/> is the top table, which gets the entries that lead there.
    /// </summary>
    public static void WriteP2M(PvLayout layout, GuestFrames frames, Span<byte> memory, Span<byte> top)
    {
        TableSpan span = layout.P2MSpan;
        Span<ulong> l1 = WriteUpper(
            span, frames, layout.P2MTables.Start, MemoryMarshal.Cast<byte, ulong>(memory), MemoryMarshal.Cast<byte, ulong>(top));
        WritePages(layout.P2M, frames, l1[span.Index(span.Start, TableSpan.PageShift)..], PageFlags);
    }

    /// <summary>Links the tables of levels 4 to 2, which lie in this order from <paramref name="firstTable"/> on.</summary>
    /// <returns>The tables of level 1.</returns>
    private static Span<ulong> WriteUpper(TableSpan span, GuestFrames frames, ulong firstTable, Span<ulong> tables, Span<ulong> top)
    {
        PageRange l3 = new(firstTable, span.L3Tables), l2 = new(l3.End, span.L2Tables), l1 = new(l2.End, span.L1Tables);
        Span<ulong> l3Entries = tables[..((int)l3.Count * 512)], l2Entries = tables.Slice(l3Entries.Length, (int)l2.Count * 512);
        WritePages(l3, frames, top[TableSpan.TopIndex(span.Start)..], TableFlags);
        WritePages(l2, frames, l3Entries[span.Index(span.Start, TableSpan.L2Shift)..], TableFlags);
        WritePages(l1, frames, l2Entries[span.Index(span.Start, TableSpan.L1Shift)..], TableFlags);
        return tables[(l3Entries.Length + l2Entries.Length)..];
    }

    private static void WritePages(PageRange pages, GuestFrames frames, Span<ulong> entries, ulong flags)
    {
        Span<ulong> target = entries[..(int)pages.Count];
        frames.CopyTo(pages, target);
        for (int i = 0; i < target.Length; i++)
            target[i] = (target[i] << TableSpan.PageShift) | flags;
    }

    private static void MakeReadOnly(Span<ulong> l1, PageRange tables)
    {
        for (ulong pfn = tables.Start; pfn < tables.End && pfn < (ulong)l1.Length; pfn++)
            l1[(int)pfn] &= ~Writable;
    }
}
