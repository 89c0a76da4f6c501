using System.Runtime.InteropServices;
using Hypha.Xen;

namespace Hypha.DomainBuilder.Tests.Pv;

/// <summary>
/// A hypervisor made of plain memory, for one domain at a time: machine frames exist only once they are touched, free frames hold
/// garbage, and pinning checks page tables as Xen does.
/// </summary>
internal sealed class MemoryHypervisor(ulong freePages) : IDomainHypervisor
{
    private const ulong SharedInfoMfn = 0x77;
    private readonly Dictionary<ulong, byte[]> _memory = [];
    private readonly Dictionary<ulong, ulong> _frameOf = []; // pfn by mfn
    private ulong _nextMfn = 0x100000, _maxPages;
    private int _mappings;
    private uint _nextPort = 1;

    /// <summary>What is left of extents of 2 MiB; single pages are not limited by it.</summary>
    public int LargeExtents { get; init; } = int.MaxValue;

    /// <summary>The call of this name fails.</summary>
    public string? FailAt { get; init; }

    public DomainId? Domain { get; private set; }
    public int Destroyed { get; private set; }
    public DomainConfig? Config { get; private set; }
    public Dictionary<ulong, ulong> MachineOf { get; } = []; // mfn by pfn
    public VcpuGuestContext? Context { get; private set; }
    public ulong? PinnedTop { get; private set; }
    public ulong? HypercallPage { get; private set; }
    public (ulong Console, ulong Store, DomainId Backend)? Grants { get; private set; }
    public int OpenMappings => _mappings;
    public List<string> Calls { get; } = [];

    public ulong AvailablePages => freePages - (ulong)MachineOf.Count;

    public byte[] Page(ulong mfn)
    {
        if (!_memory.TryGetValue(mfn, out byte[]? page))
        {
            Assert.True(mfn == SharedInfoMfn || _frameOf.ContainsKey(mfn), $"mfn 0x{mfn:x} is not the domain's");
            _memory[mfn] = page = new byte[4096];
            if (mfn != SharedInfoMfn)
                page.AsSpan().Fill(0xc2); // whatever was there before
        }
        return page;
    }

    public ulong FrameOf(ulong mfn) => _frameOf[mfn];

    public DomainId Create(DomainConfig config)
    {
        Call("create");
        Config = config;
        Domain = new DomainId(7);
        return Domain.Value;
    }

    public void Destroy(DomainId domain)
    {
        Assert.Equal(Domain, domain);
        Assert.Equal(0, _mappings);
        Domain = null;
        MachineOf.Clear();
        Destroyed++;
    }

    public void SetMaxVcpus(DomainId domain, int count)
    {
        Call("vcpus");
        Assert.Equal(Config!.MaxVcpus, count);
    }

    public void SetMaxMemory(DomainId domain, long kib)
    {
        Call("max memory");
        _maxPages = (ulong)kib / 4;
    }

    public bool TryClaim(DomainId domain, ulong pages)
    {
        Call("claim");
        return pages <= AvailablePages && FailAt != "claim refused";
    }

    public int Populate(DomainId domain, int order, ReadOnlySpan<Pfn> bases, Span<Mfn> machine)
    {
        Call("populate");
        for (int i = 0; i < bases.Length; i++)
        {
            bool large = order == 9;
            if ((large && Calls.Count(call => call == "large") >= LargeExtents) || AvailablePages < 1ul << order || (FailAt == "single pages" && !large))
                return i;
            if (large)
                Calls.Add("large");
            _nextMfn += 512; // extents are far apart, and single pages do not follow each other
            machine[i] = new Mfn(_nextMfn);
            for (ulong page = 0; page < 1ul << order; page++)
            {
                Assert.True(MachineOf.TryAdd(bases[i].Value + page, _nextMfn + page), "populated twice");
                _frameOf[_nextMfn + page] = bases[i].Value + page;
            }
            Assert.True((ulong)MachineOf.Count <= _maxPages, "more than the domain may have");
        }
        return bases.Length;
    }

    public IMappedPages Map(DomainId domain, ReadOnlySpan<Mfn> frames)
    {
        Call("map");
        _mappings++;
        return new Mapping(this, frames.ToArray());
    }

    public void Clear(DomainId domain, ReadOnlySpan<Mfn> frames)
    {
        Call("clear");
        foreach (Mfn frame in frames)
            Page(frame.Value).AsSpan().Clear();
    }

    public Mfn SharedInfoFrame(DomainId domain) => new(SharedInfoMfn);

    public EvtchnPort AllocateUnbound(DomainId domain, DomainId remote)
    {
        Call("event channel");
        return new EvtchnPort(_nextPort++);
    }

    public void SeedGrants(DomainId domain, DomainId backend, Mfn console, Mfn store)
    {
        Call("grants");
        Grants = (console.Value, store.Value, backend);
    }

    public void InitializeHypercallPage(DomainId domain, Mfn page)
    {
        Call("hypercall page");
        HypercallPage = page.Value;
    }

    public void PinTopTable(DomainId domain, Mfn table)
    {
        Call("pin");
        Assert.Equal(0, _mappings);
        PinnedTop = table.Value;
    }

    public void SetVcpuContext(DomainId domain, int vcpu, in VcpuGuestContext context)
    {
        Call("context");
        Assert.NotNull(PinnedTop);
        Assert.Equal(0, vcpu);
        Context = context;
    }

    private void Call(string name)
    {
        Calls.Add(name);
        if (name == FailAt)
            throw new XenException($"{name} refused");
    }

    private sealed class Mapping(MemoryHypervisor owner, Mfn[] frames) : IMappedPages
    {
        private readonly byte[] _bytes = frames.SelectMany(frame => owner.Page(frame.Value)).ToArray();
        private bool _disposed;

        public Span<byte> Span
        {
            get
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                return _bytes;
            }
        }

        public void Dispose()
        {
            if (_disposed)
                return;
            _disposed = true;
            for (int i = 0; i < frames.Length; i++)
                _bytes.AsSpan(i * 4096, 4096).CopyTo(owner.Page(frames[i].Value));
            owner._mappings--;
        }
    }
}
