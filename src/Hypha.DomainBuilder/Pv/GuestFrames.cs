using Hypha.Xen;

namespace Hypha.DomainBuilder.Pv;

/// <summary>
/// The machine frames behind a guest's pseudo-physical pages: populated from 0 up in extents of 2 MiB while the hypervisor has
/// them, then in single pages.
/// </summary>
internal sealed class GuestFrames
{
    private const int LargeOrder = 9;
    private const ulong LargePages = 1 << LargeOrder;
    private const int BatchSize = 16 * 1024;

    private readonly Mfn[] _large;
    private Mfn[] _small = [];
    private ulong _largePages;

    private GuestFrames(ulong pages)
    {
        Count = pages;
        _large = new Mfn[pages / LargePages];
    }

    public ulong Count { get; }

    public Mfn this[ulong pfn] => pfn < _largePages ? _large[pfn / LargePages] + (pfn % LargePages) : _small[pfn - _largePages];

    /// <exception cref="DomainBuildException">There is less memory than that.</exception>
    public static GuestFrames Populate(IDomainHypervisor hypervisor, DomainId domain, ulong pages, CancellationToken cancelled)
    {
        GuestFrames frames = new(pages);
        ulong extents = frames.Take(hypervisor, domain, LargeOrder, 0, frames._large, cancelled);
        frames._largePages = extents * LargePages;
        frames._small = new Mfn[pages - frames._largePages];
        ulong singles = frames.Take(hypervisor, domain, 0, frames._largePages, frames._small, cancelled);
        if (singles < (ulong)frames._small.Length)
            throw new DomainBuildException(
                $"the hypervisor gave only {(frames._largePages + singles) * 4096 >> 20} of {pages * 4096 >> 20} MiB of memory");
        return frames;
    }

    /// <summary>Writes the frames of <paramref name="range"/> one after the other, as in the p2m list.</summary>
    public void CopyTo(PageRange range, Span<ulong> target)
    {
        ulong pfn = range.Start;
        int at = 0;
        while (pfn < range.End && pfn < _largePages)
        {
            ulong frame = this[pfn].Value, run = Math.Min(range.End - pfn, LargePages - (pfn % LargePages));
            for (ulong i = 0; i < run; i++)
                target[at++] = frame + i;
            pfn += run;
        }
        for (; pfn < range.End; pfn++)
            target[at++] = _small[pfn - _largePages].Value;
    }

    private ulong Take(IDomainHypervisor hypervisor, DomainId domain, int order, ulong firstPage, Span<Mfn> machine, CancellationToken cancelled)
    {
        Pfn[] bases = new Pfn[Math.Min(machine.Length, BatchSize)];
        int done = 0;
        while (done < machine.Length)
        {
            cancelled.ThrowIfCancellationRequested();
            int count = Math.Min(machine.Length - done, bases.Length);
            for (int i = 0; i < count; i++)
                bases[i] = new Pfn(firstPage + ((ulong)(done + i) << order));
            int populated = hypervisor.Populate(domain, order, bases.AsSpan(0, count), machine.Slice(done, count));
            done += populated;
            if (populated < count)
                break;
        }
        return (ulong)done;
    }
}
