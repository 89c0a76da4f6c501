using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Hypha.DomainBuilder.Kernel;
using Hypha.Xen;

namespace Hypha.DomainBuilder.Pv;

/// <summary>Builds 64-bit PV domains.</summary>
public sealed class PvDomainBuilder(IDomainHypervisor hypervisor)
{
    /// <summary>XEN_LEGACY_MAX_VCPUS: as many have their vcpu_info in the shared page.</summary>
    public const int MaxVCpus = 32;

    /// <summary>Kernel, initrd and p2m list of the largest guest are mapped at once, and a span ends at 2 GiB.</summary>
    public const long MaxMemoryMiB = 256 << 10, MaxInitrdMiB = 768;

    /// <summary>Makes the domain, paused. When anything fails it is destroyed again.</summary>
    /// <exception cref="DomainBuildException">The description cannot be met: a sentence for who gave it.</exception>
    /// <exception cref="KernelImageException">The kernel became unreadable.</exception>
    /// <exception cref="XenException">The hypervisor refused.</exception>
    public BuiltDomain Build(DomainDescription description, CancellationToken cancelled = default)
    {
        CreatedDomain domain = Create(description);
        try
        {
            return Fill(domain, cancelled);
        }
        catch
        {
            hypervisor.Destroy(domain.Id);
            throw;
        }
    }

    /// <summary>
    /// The first half of <see cref="Build"/>: a domain that has its number and its right to memory, and none yet. What needs no more
    /// than the number can be done while <see cref="Fill"/> does the work.
    /// </summary>
    /// <inheritdoc cref="Build" path="/exception"/>
    public CreatedDomain Create(DomainDescription description)
    {
        PvLayout layout = Plan(description);
        DomainId domain = hypervisor.Create(new DomainConfig
        {
            Handle = description.Handle,
            MaxVcpus = description.VCpus,
            MaxGrantFrames = description.MaxGrantFrames,
        });
        try
        {
            hypervisor.SetMaxVcpus(domain, description.VCpus);
            hypervisor.SetMaxMemory(domain, (long)layout.Pages * 4);
            if (!hypervisor.TryClaim(domain, layout.Pages))
                throw TooLittleMemory(description);
            return new CreatedDomain(domain, description, layout);
        }
        catch
        {
            hypervisor.Destroy(domain);
            throw;
        }
    }

    /// <summary>The second half, once. When it fails the domain is the caller's to destroy.</summary>
    /// <inheritdoc cref="Build" path="/exception"/>
    public BuiltDomain Fill(CreatedDomain created, CancellationToken cancelled = default)
    {
        (DomainId domain, DomainDescription description, PvLayout layout) = (created.Id, created.Description, created.Layout);
        Stopwatch clock = Stopwatch.StartNew();
        List<BuildPhase> phases = [];
        void Phase(string name)
        {
            phases.Add(new BuildPhase(name, clock.Elapsed));
            clock.Restart();
            cancelled.ThrowIfCancellationRequested();
        }

        GuestFrames frames = GuestFrames.Populate(hypervisor, domain, layout.Pages, cancelled);
        Phase("populate");
        EvtchnPort storePort = hypervisor.AllocateUnbound(domain, description.Backend);
        EvtchnPort consolePort = hypervisor.AllocateUnbound(domain, description.Backend);
        List<KernelPlacement> kernel = KernelPlacement.Of(description.Kernel.Elf);
        ClearZeroes(domain, layout, frames, kernel);
        Phase("clear");
        Mfn sharedInfo = hypervisor.SharedInfoFrame(domain);
        using (GuestWindow window = GuestWindow.Map(hypervisor, domain, frames, Written(layout, kernel), sharedInfo))
        {
            Phase("map");
            foreach (KernelPlacement placement in kernel)
                placement.Copy(description.Kernel, window[placement.Content]);
            Phase("kernel");
            CopyInitrds(window[layout.Initrd], description.Initrds);
            Phase("initrd");
            WriteTables(window, layout, frames);
            new StartInfo(window[new PageRange(layout.StartInfo, 1)])
                .Write(layout, frames, sharedInfo.Value, storePort.Value, consolePort.Value, description.CommandLine);
            MaskEvents(window.Extra);
            Phase("tables");
        }
        Phase("unmap");
        if (description.Kernel.Elf.Notes.HypercallPage is { } hypercallPage)
            hypervisor.InitializeHypercallPage(domain, frames[layout.PageOf(hypercallPage)]);
        Mfn topTable = frames[layout.PageTables.Start];
        hypervisor.PinTopTable(domain, topTable);
        hypervisor.SeedGrants(domain, description.Backend, frames[layout.Console], frames[layout.Store]);
        VcpuGuestContext context = BootVcpu.Context(layout, topTable);
        hypervisor.SetVcpuContext(domain, 0, in context);
        Phase("start state");
        return new BuiltDomain
        {
            Id = domain,
            ConsolePort = consolePort,
            StorePort = storePort,
            ConsoleFrame = frames[layout.Console],
            StoreFrame = frames[layout.Store],
            Phases = phases,
        };
    }

    private PvLayout Plan(DomainDescription description)
    {
        if (description.VCpus is < 1 or > MaxVCpus)
            throw new DomainBuildException($"a guest cannot have {description.VCpus} CPUs: 1 to {MaxVCpus} are possible");
        if (description.MemoryMiB is < 1 or > MaxMemoryMiB)
            throw new DomainBuildException($"a guest cannot have {description.MemoryMiB} MiB of memory: 1 to {MaxMemoryMiB} are possible");
        int commandLine = Encoding.UTF8.GetByteCount(description.CommandLine);
        if (commandLine >= StartInfo.MaxCommandLine || description.CommandLine.Contains('\0'))
            throw new DomainBuildException(
                $"the kernel's command line is {commandLine} bytes long; at most {StartInfo.MaxCommandLine - 1}, none of them zero, are possible");
        ulong pages = (ulong)description.MemoryMiB << 8;
        // Before anything is made, so that the usual mistake costs nothing; the claim decides.
        if (pages > hypervisor.AvailablePages)
            throw TooLittleMemory(description);
        long initrds = 0;
        foreach (InitrdPart part in description.Initrds)
            initrds = AlignInitrd(initrds) + part.Length;
        if (initrds > MaxInitrdMiB << 20)
            throw new DomainBuildException($"the initrds are {initrds >> 20} MiB large: at most {MaxInitrdMiB} are possible");
        return PvLayout.Plan(description.Kernel.Elf, pages, initrds);
    }

    private DomainBuildException TooLittleMemory(DomainDescription description) =>
        new($"{description.MemoryMiB} MiB of memory are more than the {hypervisor.AvailablePages >> 8} MiB that the hypervisor has free");

    /// <summary>All that a build writes to, so that it is mapped at once.</summary>
    private static IEnumerable<PageRange> Written(PvLayout layout, List<KernelPlacement> kernel) =>
    [
        .. kernel.Select(placement => placement.Content),
        layout.Initrd,
        layout.PageTables,
        layout.P2M,
        layout.P2MTables,
        new PageRange(layout.StartInfo, 1),
    ];

    /// <summary>
    /// The kernel's .bss and the two rings. Xen gives scrubbed pages unless it was told not to, so that only what must be zero is
    /// cleared here. Before anything is copied: a segment may begin in a page that another ends in.
    /// </summary>
    private void ClearZeroes(DomainId domain, PvLayout layout, GuestFrames frames, List<KernelPlacement> kernel)
    {
        List<Mfn> zeroes = [frames[layout.Store], frames[layout.Console]];
        foreach (KernelPlacement placement in kernel)
        {
            for (ulong pfn = placement.Zeroes.Start; pfn < placement.Zeroes.End; pfn++)
                zeroes.Add(frames[pfn]);
        }
        hypervisor.Clear(domain, CollectionsMarshal.AsSpan(zeroes));
    }

    private static void CopyInitrds(Span<byte> memory, IReadOnlyList<InitrdPart> parts)
    {
        if (memory.IsEmpty)
            return;
        long at = 0;
        foreach (InitrdPart part in parts)
        {
            long start = AlignInitrd(at);
            memory[(int)at..(int)start].Clear();
            part.CopyTo(memory[(int)start..]);
            at = start + part.Length;
        }
        memory[(int)at..].Clear();
    }

    /// <summary>buffer-format.rst: what follows an archive begins at a multiple of 4, zeroes between.</summary>
    private static long AlignInitrd(long offset) => (offset + 3) & ~3L;

    private static void WriteTables(GuestWindow window, PvLayout layout, GuestFrames frames)
    {
        Span<byte> tables = window[layout.PageTables];
        tables.Clear();
        PageTableWriter.WriteRegion(layout, frames, tables);
        Span<ulong> list = MemoryMarshal.Cast<byte, ulong>(window[layout.P2M]);
        frames.CopyTo(new PageRange(0, layout.Pages), list);
        list[(int)layout.Pages..].Clear();
        if (layout.P2MTables.Count == 0)
            return;
        window[layout.P2MTables].Clear();
        PageTableWriter.WriteP2M(layout, frames, window[layout.P2MTables], tables[..4096]);
    }

    /// <summary>xen.h, vcpu_info: no event is delivered to a CPU before its kernel asks for it.</summary>
    private static void MaskEvents(Span<byte> sharedInfo)
    {
        for (int vcpu = 0; vcpu < MaxVCpus; vcpu++)
            sharedInfo[(vcpu * 64) + 1] = 1; // evtchn_upcall_mask
    }
}
