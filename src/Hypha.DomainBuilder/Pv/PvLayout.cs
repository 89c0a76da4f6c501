using Hypha.DomainBuilder.Kernel;

namespace Hypha.DomainBuilder.Pv;

/// <summary>
/// Where everything lies in a 64-bit PV guest at its first instruction: arithmetic alone, no memory is touched.
/// </summary>
/// <remarks>
/// xen/include/public/xen.h, "Start-of-day memory layout": from VIRT_BASE on, pseudo-physical memory is mapped one to one, in it kernel,
/// initrd, p2m list, start_info, xenstore page, console page, page tables, stack, then at least 512 KiB of padding up to a multiple
/// of 4 MiB. A kernel that can (INIT_P2M, MOD_START_PFN) gets list and initrd behind the padding instead.
/// </remarks>
public sealed record PvLayout
{
    private const ulong PageSize = 4096, Padding = 512 * 1024 / PageSize, RegionAlignment = 4 << 20;
    private const ulong MaxKernelEnd = 1ul << 30;

    // arch-x86/xen-x86_64.h: __HYPERVISOR_VIRT_START and _END.
    private const ulong HypervisorStart = 0xffff800000000000, HypervisorEnd = 0xffff880000000000;

    /// <summary>nr_pages.</summary>
    public required ulong Pages { get; init; }

    public required ulong VirtBase { get; init; }
    public required ulong Entry { get; init; }

    /// <summary>From the lowest to the highest page that a segment lies in.</summary>
    public required PageRange Kernel { get; init; }

    /// <summary>Empty without one.</summary>
    public PageRange Initrd { get; init; }

    /// <summary>In bytes.</summary>
    public long InitrdLength { get; init; }

    /// <summary>False when the kernel is told the initrd's frame number instead of its address.</summary>
    public bool InitrdIsMapped { get; init; }

    public PageRange P2M { get; init; }

    /// <summary>mfn_list.</summary>
    public ulong P2MAddress { get; init; }

    /// <summary>Tables that map the list at INIT_P2M, behind it; empty when it lies in the initial region.</summary>
    public PageRange P2MTables { get; init; }

    public ulong StartInfo { get; init; }
    public ulong Store { get; init; }
    public ulong Console { get; init; }

    /// <summary>The top table first, then levels 3, 2 and 1.</summary>
    public PageRange PageTables { get; init; }

    public ulong Stack { get; init; }

    /// <summary>First page behind the initial region; may be more than there are pages.</summary>
    public ulong MappedEnd { get; init; }

    /// <summary>First page that holds nothing.</summary>
    public ulong End { get; init; }

    internal TableSpan Region => new(VirtBase, VirtBase + (MappedEnd * PageSize) - 1);

    internal TableSpan P2MSpan => new(P2MAddress, P2MAddress + (P2M.Count * PageSize) - 1);

    public ulong AddressOf(ulong pfn) => VirtBase + (pfn * PageSize);

    /// <summary>The page in which a virtual address of the initial region lies.</summary>
    public ulong PageOf(ulong address) => (address - VirtBase) / PageSize;

    /// <exception cref="DomainBuildException">The kernel is no PV kernel, contradicts itself, or does not fit.</exception>
    public static PvLayout Plan(ElfImage elf, ulong pages, long initrdLength)
    {
        XenElfNotes notes = elf.Notes;
        if (notes.WhyNotPv() is { } why)
            throw new DomainBuildException($"the kernel cannot run as a PV guest: {why}");
        PageRange kernel = PlaceKernel(elf);
        ulong initrdPages = (ulong)(initrdLength + 4095) / PageSize, listPages = ((pages * 8) + PageSize - 1) / PageSize;
        bool initrdIsMapped = !notes.ModStartPfn;
        ulong? listAddress = OwnListAddress(notes, listPages);

        ulong next = kernel.End;
        PageRange initrd = default, list = default, listTables = default;
        if (initrdIsMapped)
            initrd = Take(initrdPages);
        if (listAddress is null)
            list = Take(listPages);
        ulong startInfo = Take(1).Start, store = Take(1).Start, console = Take(1).Start;
        (PageRange tables, ulong mappedEnd) = PlaceTables(notes.VirtBase, next);
        next = tables.End;
        ulong stack = Take(1).Start;

        // Behind the padding, which is the kernel's to use.
        ulong end = next += Padding;
        if (listAddress is { } address)
        {
            list = Take(listPages);
            listTables = Take(new TableSpan(address, address + (listPages * PageSize) - 1).Tables);
        }
        if (!initrdIsMapped)
            initrd = Take(initrdPages);
        if (next > end)
            end = next;
        if (end > pages)
            throw new DomainBuildException(
                $"{pages * PageSize >> 20} MiB of memory are too few: kernel ({kernel.Count * PageSize >> 20} MiB, ending at " +
                $"{kernel.End * PageSize >> 20} MiB), initrd ({initrdLength >> 20} MiB) and page tables need at least {((end * PageSize) + 0xfffff) >> 20} MiB");

        PvLayout layout = new()
        {
            Pages = pages,
            VirtBase = notes.VirtBase,
            Entry = notes.Entry!.Value,
            Kernel = kernel,
            Initrd = initrd,
            InitrdLength = initrdLength,
            InitrdIsMapped = initrdIsMapped,
            P2M = list,
            P2MAddress = listAddress ?? notes.VirtBase + (list.Start * PageSize),
            P2MTables = listTables,
            StartInfo = startInfo,
            Store = store,
            Console = console,
            PageTables = tables,
            Stack = stack,
            MappedEnd = mappedEnd,
            End = end,
        };
        layout.CheckAddress(layout.Entry, "entry");
        if (notes.HypercallPage is { } hypercalls)
            layout.CheckAddress(hypercalls, "hypercall page");
        return layout;

        PageRange Take(ulong count)
        {
            PageRange range = new(next, count);
            next += count;
            return range;
        }
    }

    private static PageRange PlaceKernel(ElfImage elf)
    {
        ulong start = ulong.MaxValue, end = 0;
        if (elf.Segments.Sum(segment => segment.MemorySize) > KernelUnpacker.MaxSize)
            throw new DomainBuildException($"the kernel is larger than {KernelUnpacker.MaxSize >> 20} MiB");
        foreach (ElfSegment segment in elf.Segments)
        {
            // Linux's per-CPU segment has a virtual address of 0, so that physical ones decide.
            ulong at = segment.PhysicalAddress - elf.Notes.PaddrOffset;
            if (at > segment.PhysicalAddress || at + (ulong)segment.MemorySize > MaxKernelEnd)
                throw new DomainBuildException($"the kernel wants to be loaded at 0x{segment.PhysicalAddress:x}, beyond {MaxKernelEnd >> 20} MiB");
            start = Math.Min(start, at / PageSize);
            end = Math.Max(end, (at + (ulong)segment.MemorySize + PageSize - 1) / PageSize);
        }
        return new PageRange(start, end - start);
    }

    /// <summary>INIT_P2M, if it is an address that we can give the list tables of its own at.</summary>
    private static ulong? OwnListAddress(XenElfNotes notes, ulong listPages)
    {
        if (notes.InitP2M is not { } address || address % PageSize != 0 || address >= notes.VirtBase)
            return null;
        ulong last = address + (listPages * PageSize) - 1;
        bool lowHalf = last < 1ul << 47, highHalf = address >= HypervisorEnd;
        return last >= address && (lowHalf || highHalf) && TableSpan.TopIndex(last) < TableSpan.TopIndex(notes.VirtBase) ? address : null;
    }

    /// <summary>The tables map themselves, the stack behind them and the padding: more tables may need one more table.</summary>
    private static (PageRange Tables, ulong MappedEnd) PlaceTables(ulong virtBase, ulong first)
    {
        bool canonical = virtBase < 1ul << 47 || virtBase >= HypervisorStart;
        if (virtBase % RegionAlignment != 0 || !canonical || (virtBase >= HypervisorStart && virtBase < HypervisorEnd))
            throw new DomainBuildException($"the kernel wants to be mapped at 0x{virtBase:x}, where it cannot be");
        for (ulong count = 4; ; count++)
        {
            ulong end = (first + count + 1 + Padding) * PageSize;
            end = (end + RegionAlignment - 1) & ~(RegionAlignment - 1);
            ulong last = virtBase + end - 1;
            if (last < virtBase || (virtBase < HypervisorStart && last >= 1ul << 47))
                throw new DomainBuildException(
                    $"the kernel wants {end >> 20} MiB mapped at 0x{virtBase:x}, which is more than there are addresses");
            if (new TableSpan(virtBase, last).Tables + 1 <= count)
                return (new PageRange(first, count), end / PageSize);
        }
    }

    private void CheckAddress(ulong address, string what)
    {
        if (address < VirtBase || !Kernel.Contains(PageOf(address)))
            throw new DomainBuildException($"the kernel is corrupt: its {what}, 0x{address:x}, lies outside of it");
    }
}
