using System.Runtime.InteropServices;
using Hypha.Xen;

namespace Hypha.DomainBuilder.Pv;

/// <summary>
/// Ranges of a guest's pages mapped at once: each mapping costs calls of its own, and a build writes to a handful of ranges.
/// </summary>
internal sealed class GuestWindow : IDisposable
{
    private readonly IMappedPages _pages;
    private readonly Dictionary<PageRange, int> _offsets;
    private readonly int _extra;

    private GuestWindow(IMappedPages pages, Dictionary<PageRange, int> offsets, int extra) =>
        (_pages, _offsets, _extra) = (pages, offsets, extra);

    /// <param name="hypervisor">Maps.</param>
    /// <param name="domain">Whose pages.</param>
    /// <param name="frames">The machine frames behind them.</param>
    /// <param name="ranges">Empty ones and repeated ones are allowed.</param>
    /// <param name="extra">A frame that is not part of the guest's pseudo-physical memory.</param>
    public static GuestWindow Map(IDomainHypervisor hypervisor, DomainId domain, GuestFrames frames, IEnumerable<PageRange> ranges, Mfn extra)
    {
        Dictionary<PageRange, int> offsets = [];
        ulong count = 0;
        foreach (PageRange range in ranges)
        {
            if (range.Count > 0 && offsets.TryAdd(range, checked((int)(count << TableSpan.PageShift))))
                count += range.Count;
        }
        Mfn[] machine = new Mfn[count + 1];
        foreach ((PageRange range, int offset) in offsets)
            frames.CopyTo(range, MemoryMarshal.Cast<Mfn, ulong>(machine.AsSpan(offset >> TableSpan.PageShift, (int)range.Count)));
        machine[count] = extra;
        return new GuestWindow(hypervisor.Map(domain, machine), offsets, (int)count << TableSpan.PageShift);
    }

    /// <summary>The bytes of one of the ranges that were asked for.</summary>
    public Span<byte> this[PageRange range] =>
        range.Count == 0 ? [] : _pages.Span.Slice(_offsets[range], (int)range.Count << TableSpan.PageShift);

    public Span<byte> Extra => _pages.Span[_extra..];

    public void Dispose() => _pages.Dispose();
}
