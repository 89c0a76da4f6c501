using System.Diagnostics;
using System.Text;
using Hypha.DomainBuilder.Kernel;
using Hypha.Xen;

namespace Hypha.DomainBuilder.Pv;

/// <summary>Builds 64-bit PV domains.</summary>
public sealed class PvDomainBuilder(IDomainHypervisor hypervisor)
{
    /// <summary>XEN_LEGACY_MAX_VCPUS: as many have their vcpu_info in the shared page.</summary>
    public const int MaxVCpus = 32;

    /// <summary>Makes the domain, paused. When anything fails it is destroyed again.</summary>
    /// <exception cref="DomainBuildException">The description cannot be met: a sentence for who gave it.</exception>
    /// <exception cref="KernelImageException">The kernel became unreadable.</exception>
    /// <exception cref="XenException">The hypervisor refused.</exception>
    public BuiltDomain Build(DomainDescription description, CancellationToken cancelled = default)
    {
        Stopwatch clock = new();
        List<BuildPhase> phases = [];
        void Phase(string name)
        {
            phases.Add(new BuildPhase(name, clock.Elapsed));
            clock.Restart();
            cancelled.ThrowIfCancellationRequested();
        }

        clock.Start();
        PvLayout layout = Plan(description);
        Phase("layout");
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
            Phase("create");
            GuestFrames frames = GuestFrames.Populate(hypervisor, domain, layout.Pages, cancelled);
            Phase("populate");
            CopyKernel(domain, layout, frames, description.Kernel);
            Phase("kernel");
            CopyInitrds(domain, layout, frames, description.Initrds);
            Phase("initrd");
            EvtchnPort storePort = hypervisor.AllocateUnbound(domain, description.Backend);
            EvtchnPort consolePort = hypervisor.AllocateUnbound(domain, description.Backend);
            WriteTables(domain, layout, frames);
            WriteStartInfo(domain, layout, frames, storePort, consolePort, description.CommandLine);
            Phase("tables");
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
        catch
        {
            hypervisor.Destroy(domain);
            throw;
        }
    }

    private PvLayout Plan(DomainDescription description)
    {
        if (description.VCpus is < 1 or > MaxVCpus)
            throw new DomainBuildException($"a guest cannot have {description.VCpus} CPUs: 1 to {MaxVCpus} are possible");
        if (description.MemoryMiB is < 1 or > 1 << 24)
            throw new DomainBuildException($"a guest cannot have {description.MemoryMiB} MiB of memory");
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
        if (initrds > int.MaxValue)
            throw new DomainBuildException($"the initrds are {initrds >> 20} MiB large; less than 2,048 are possible");
        return PvLayout.Plan(description.Kernel.Elf, pages, initrds);
    }

    private DomainBuildException TooLittleMemory(DomainDescription description) =>
        new($"{description.MemoryMiB} MiB of memory are more than the {hypervisor.AvailablePages >> 8} MiB that the hypervisor has free");

    private void CopyKernel(DomainId domain, PvLayout layout, GuestFrames frames, KernelImage kernel)
    {
        foreach (ElfSegment segment in kernel.Elf.Segments)
        {
            ulong at = segment.PhysicalAddress - kernel.Elf.Notes.PaddrOffset, first = at >> 12;
            ulong end = (at + (ulong)segment.MemorySize + 4095) >> 12;
            using IMappedPages pages = Map(domain, frames, new PageRange(first, end - first));
            Span<byte> memory = pages.Span.Slice((int)(at & 4095), (int)segment.MemorySize);
            kernel.Read(segment, 0, memory[..(int)segment.FileSize]);
            memory[(int)segment.FileSize..].Clear();
        }
    }

    private void CopyInitrds(DomainId domain, PvLayout layout, GuestFrames frames, IReadOnlyList<InitrdPart> parts)
    {
        if (layout.InitrdLength == 0)
            return;
        using IMappedPages pages = Map(domain, frames, layout.Initrd);
        Span<byte> memory = pages.Span;
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

    private void WriteTables(DomainId domain, PvLayout layout, GuestFrames frames)
    {
        using IMappedPages tables = Map(domain, frames, layout.PageTables);
        tables.Span.Clear();
        PageTableWriter.WriteRegion(layout, frames, tables.Span);
        using (IMappedPages list = Map(domain, frames, layout.P2M))
        {
            Span<ulong> entries = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(list.Span);
            frames.CopyTo(new PageRange(0, layout.Pages), entries);
            entries[(int)layout.Pages..].Clear();
        }
        if (layout.P2MTables.Count == 0)
            return;
        using IMappedPages listTables = Map(domain, frames, layout.P2MTables);
        listTables.Span.Clear();
        PageTableWriter.WriteP2M(layout, frames, listTables.Span, tables.Span[..4096]);
    }

    private void WriteStartInfo(
        DomainId domain, PvLayout layout, GuestFrames frames, EvtchnPort storePort, EvtchnPort consolePort, string commandLine)
    {
        Mfn sharedInfo = hypervisor.SharedInfoFrame(domain);
        using IMappedPages pages = hypervisor.Map(
            domain, [frames[layout.StartInfo], frames[layout.Store], frames[layout.Console], sharedInfo]);
        pages.Span[..(3 * 4096)].Clear();
        new StartInfo(pages.Span[..4096]).Write(layout, frames, sharedInfo.Value, storePort.Value, consolePort.Value, commandLine);

        // xen.h, vcpu_info: no event is delivered to a CPU before its kernel asks for it.
        Span<byte> shared = pages.Span[(3 * 4096)..];
        for (int vcpu = 0; vcpu < MaxVCpus; vcpu++)
            shared[(vcpu * 64) + 1] = 1; // evtchn_upcall_mask
    }

    private IMappedPages Map(DomainId domain, GuestFrames frames, PageRange range)
    {
        ulong[] machine = new ulong[range.Count];
        frames.CopyTo(range, machine);
        return hypervisor.Map(domain, System.Runtime.InteropServices.MemoryMarshal.Cast<ulong, Mfn>(machine));
    }
}
