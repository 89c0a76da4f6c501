using Hypha.Xen;

namespace Hypha.DomainBuilder;

/// <summary>The running hypervisor, as a builder sees it.</summary>
public sealed class XenDomains(Hypervisor xen) : IDomainHypervisor
{
    public DomainId Create(DomainConfig config) => xen.CreateDomain(config);

    public void Destroy(DomainId domain) => xen.DestroyDomain(domain);

    public void SetMaxVcpus(DomainId domain, int count) => xen.SetMaxVcpus(domain, count);

    public void SetMaxMemory(DomainId domain, long kib) => xen.SetMaxMemory(domain, kib);

    public bool TryClaim(DomainId domain, ulong pages) => xen.TryClaimPages(domain, pages);

    public ulong AvailablePages => xen.ReadPhysicalInfo().AvailablePages;

    public int Populate(DomainId domain, int order, ReadOnlySpan<Pfn> bases, Span<Mfn> machine) =>
        xen.PopulatePhysmap(domain, order, bases, machine);

    public IMappedPages Map(DomainId domain, ReadOnlySpan<Mfn> frames) => new Pages(ForeignMemory.Map(xen, domain, frames));

    public void Clear(DomainId domain, ReadOnlySpan<Mfn> frames) => xen.ClearPages(domain, frames);

    public Mfn SharedInfoFrame(DomainId domain) => xen.TryGetDomain(domain, out DomainInfo info)
        ? info.SharedInfoFrame
        : throw new XenException($"{domain} is gone");

    public EvtchnPort AllocateUnbound(DomainId domain, DomainId remote) => xen.AllocateUnbound(domain, remote);

    public void SeedGrants(DomainId domain, DomainId backend, Mfn console, Mfn store)
    {
        using GrantTable table = xen.MapGrantTable(domain);
        table.Permit(GrantRef.Console, backend, console);
        table.Permit(GrantRef.XenStore, backend, store);
    }

    public void InitializeHypercallPage(DomainId domain, Mfn page) => xen.InitializeHypercallPage(domain, page);

    public void PinTopTable(DomainId domain, Mfn table) => xen.MmuExtended(domain, MmuExtCommand.PinL4Table, table);

    public void SetVcpuContext(DomainId domain, int vcpu, in VcpuGuestContext context) => xen.SetVcpuContext(domain, vcpu, context);

    private sealed class Pages(ForeignMemory memory) : IMappedPages
    {
        public Span<byte> Span => memory.Span;

        public void Dispose() => memory.Dispose();
    }
}
