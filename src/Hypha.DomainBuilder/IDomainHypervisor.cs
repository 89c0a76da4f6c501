using Hypha.Xen;

namespace Hypha.DomainBuilder;

/// <summary>What a domain builder does to a hypervisor. Xen is one (<see cref="XenDomains"/>), plain memory in tests the other.</summary>
public interface IDomainHypervisor
{
    DomainId Create(DomainConfig config);

    void Destroy(DomainId domain);

    void SetMaxVcpus(DomainId domain, int count);

    void SetMaxMemory(DomainId domain, long kib);

    /// <returns>False when that much is not free.</returns>
    bool TryClaim(DomainId domain, ulong pages);

    /// <summary>Pages that a new domain could have now.</summary>
    ulong AvailablePages { get; }

    /// <summary>Gives the domain extents of 2^<paramref name="order"/> pages, and enters them into the machine-to-physical table.</summary>
    /// <returns>How many of them, from the first on.</returns>
    int Populate(DomainId domain, int order, ReadOnlySpan<Pfn> bases, Span<Mfn> machine);

    /// <summary>Maps pages of the domain, in the order given.</summary>
    IMappedPages Map(DomainId domain, ReadOnlySpan<Mfn> frames);

    /// <summary>Fills pages of the domain with zeroes.</summary>
    void Clear(DomainId domain, ReadOnlySpan<Mfn> frames);

    Mfn SharedInfoFrame(DomainId domain);

    /// <summary>An event channel in <paramref name="domain"/> that <paramref name="remote"/> may bind.</summary>
    EvtchnPort AllocateUnbound(DomainId domain, DomainId remote);

    /// <summary>Lets <paramref name="backend"/> map the console's and xenstore's pages by their reserved grants.</summary>
    void SeedGrants(DomainId domain, DomainId backend, Mfn console, Mfn store);

    void InitializeHypercallPage(DomainId domain, Mfn page);

    /// <summary>Has the page tables checked and kept so.</summary>
    void PinTopTable(DomainId domain, Mfn table);

    void SetVcpuContext(DomainId domain, int vcpu, in VcpuGuestContext context);
}

/// <summary>Another domain's pages in this process; unmapped when disposed.</summary>
public interface IMappedPages : IDisposable
{
    Span<byte> Span { get; }
}
