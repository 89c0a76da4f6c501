using Hypha.Xen;

namespace Hypha.DomainBuilder.Pv;

/// <summary>Pages of the guest's pseudo-physical memory that follow each other.</summary>
public readonly record struct PageRange(ulong Start, ulong Count)
{
    public ulong End => Start + Count;

    public Pfn First => new(Start);

    public bool Contains(ulong pfn) => pfn - Start < Count;

    public override string ToString() => $"0x{Start:x}..0x{End:x}";
}
