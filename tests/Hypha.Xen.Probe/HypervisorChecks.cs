using Hypha.Linux;
using static Hypha.Xen.Probe.Check;

namespace Hypha.Xen.Probe;

internal static class HypervisorChecks
{
    internal static IEnumerable<Check> All =>
    [
        Of("The hypervisor tells its versions", Versions),
        Of("Physical info is plausible", Physical),
        Of("The list of domains has domain 0", Domains),
        Of("A created domain is in the list under its handle, and gone when destroyed", CreateDestroy),
        Of("What is written to a new domain's memory is read back through another mapping", PopulateAndMap),
        Of("Memory of more extents than a call holds is populated in order", ManyExtents),
        Of("Mapping a frame that is not the domain's names the frame and why", MapFailure),
        Of("A port is allocated in a new domain for domain 0", AllocateUnbound),
        Of("A grant is seeded in a new domain's table", SeedGrant),
        Of("A virtual CPU's registers without page tables are refused", Registers),
        Of("A claim that the machine cannot hold is refused", Claim),
        Of("A domain's scheduling weight is what was set", Weight),
        Of("Calls that repeat allocate nothing", NoAllocation),
    ];

    private static void Versions()
    {
        using var xen = Hypervisor.Open();
        Console.WriteLine($"        Xen {xen.Version}, domctl 0x{xen.DomctlVersion:x}, sysctl 0x{xen.SysctlVersion:x}");
        Console.WriteLine($"        capabilities {xen.ReadCapabilities()}; command line {xen.ReadCommandLine()}");
        string minor = File.ReadAllText("/sys/hypervisor/version/minor").Trim();
        string extra = File.ReadAllText("/sys/hypervisor/version/extra").Trim();
        Equal($"4.{minor}{extra}", xen.Version.ToString(), "version");
        byte[] log = new byte[4096];
        That(xen.ReadConsole(log) > 0, "the hypervisor's log has text");
    }

    private static void Physical()
    {
        using var xen = Hypervisor.Open();
        PhysicalInfo info = xen.ReadPhysicalInfo();
        Console.WriteLine($"        {info}");
        That(info.Cpus is > 0 and < 4096, "some CPUs");
        That(info.FreePages > 0 && info.FreePages < info.TotalPages, "free memory is less than all");
        That(info.Capabilities.HasFlag(PhysicalCapabilities.Pv), "PV guests can run");
    }

    private static void Domains()
    {
        using var xen = Hypervisor.Open();
        List<DomainInfo> domains = xen.ListDomains();
        Equal(DomainId.Zero, domains[0].Id, "the first domain");
        That(domains[0].TotalPages > 0, "it has memory");
        That(domains[0].MaxVcpus is > 0 and < 4096, "it has virtual CPUs");
        That(!xen.TryGetDomain(new DomainId(0x7000), out _), "domain 0x7000 does not exist");
    }

    private static void Weight() => WithDomain((xen, domain) =>
    {
        That(xen.TryGetWeight(domain, out int weight), "the scheduler knows weights");
        Equal(Hypervisor.DefaultWeight, weight, "a new domain's weight");
        That(xen.TrySetWeight(domain, 999), "it can be set");
        xen.TryGetWeight(domain, out weight);
        Equal(999, weight, "the weight that was set");
    });

    internal static void WithDomain(Action<Hypervisor, DomainId> act)
    {
        using var xen = Hypervisor.Open();
        DomainId domain = xen.CreateDomain(new DomainConfig { Handle = Guid.NewGuid(), MaxVcpus = 2 });
        try
        {
            xen.SetMaxVcpus(domain, 2);
            xen.SetMaxMemory(domain, 512 * 1024);
            act(xen, domain);
        }
        finally
        {
            xen.DestroyDomain(domain);
        }
    }

    private static void CreateDestroy()
    {
        using var xen = Hypervisor.Open();
        var handle = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");
        DomainId domain = xen.CreateDomain(new DomainConfig { Handle = handle, MaxVcpus = 2 });
        try
        {
            DomainInfo info = xen.ListDomains().Single(d => d.Handle == handle);
            Equal(domain, info.Id, "number");
            That(info.IsPaused && !info.IsHvm, "a paused PV domain");
            xen.SetMaxVcpus(domain, 2);
            xen.SetMaxMemory(domain, 64 * 1024);
            Equal(64, xen.GetAddressSize(domain), "bits");
            xen.SetTscMode(domain, 0);
            That(xen.TryGetDomain(domain, out info), "it is there");
            Equal(2, info.MaxVcpus, "virtual CPUs");
            Equal(16384UL, info.MaxPages, "max pages");
            That(info.SharedInfoFrame.Value != 0, "it has a shared info frame");
            xen.PauseDomain(domain);
            xen.UnpauseDomain(domain);
            xen.Shutdown(domain, ShutdownReason.Crash);
            That(xen.TryGetDomain(domain, out info) && info.IsShutdown, "shut down");
            Equal(ShutdownReason.Crash, info.ShutdownReason, "reason");
        }
        finally
        {
            xen.DestroyDomain(domain);
        }

        That(!xen.TryGetDomain(domain, out _), "it is gone");
    }

    private static void PopulateAndMap() => WithDomain((xen, domain) =>
    {
        var big = new Mfn[1];
        Equal(1, xen.PopulatePhysmap(domain, 9, [new Pfn(0)], big), "2 MiB extents");
        Pfn[] pfns = [.. Enumerable.Range(512, 100).Select(i => new Pfn((ulong)i))];
        var mfns = new Mfn[100];
        Equal(100, xen.PopulatePhysmap(domain, 0, pfns, mfns), "pages");
        Mfn[] all = [.. Enumerable.Range(0, 512).Select(i => big[0] + (ulong)i), .. mfns];
        using (ForeignMemory memory = ForeignMemory.Map(xen, domain, all))
        {
            for (int i = 0; i < all.Length; i++)
                memory[i].Fill((byte)i);
        }

        Array.Reverse(all);
        using ForeignMemory again = ForeignMemory.Map(xen, domain, all, MemoryAccess.Read);
        for (int i = 0; i < all.Length; i++)
            That(again[i].IndexOfAnyExcept((byte)(all.Length - 1 - i)) < 0, $"page {i} holds what was written");
        That(xen.TryGetDomain(domain, out DomainInfo info), "it is there");
        Equal(612UL, info.TotalPages, "pages");
        Equal(10, xen.DecreaseReservation(domain, 0, mfns.AsSpan(90)), "pages taken away");
        xen.UpdateMachineToPhysical(domain, mfns.AsSpan(0, 90), pfns.AsSpan(0, 90));
    });

    private static void ManyExtents() => WithDomain((xen, domain) =>
    {
        const int Count = 70_000;
        Pfn[] pfns = [.. Enumerable.Range(0, Count).Select(i => new Pfn((ulong)i))];
        var mfns = new Mfn[Count];
        long start = Environment.TickCount64;
        Equal(Count, xen.PopulatePhysmap(domain, 0, pfns, mfns), "pages");
        long populated = Environment.TickCount64;
        using ForeignMemory memory = ForeignMemory.Map(xen, domain, mfns);
        Console.WriteLine($"        {Count} pages populated in {populated - start} ms, mapped in {Environment.TickCount64 - populated} ms");
        memory[Count - 1][4095] = 1;

        // Beyond the limit: the extents that fit are there, and their number is told.
        Equal(131_072 - Count, xen.PopulatePhysmap(domain, 0, [.. Enumerable.Range(Count, 65_000).Select(i => new Pfn((ulong)i))], new Mfn[65_000]),
            "pages up to the limit");
    });

    private static void MapFailure() => WithDomain((xen, domain) =>
    {
        var own = new Mfn[1];
        xen.PopulatePhysmap(domain, 0, [new Pfn(0)], own);
        try
        {
            ForeignMemory.Map(xen, domain, [own[0], new Mfn(0xFFFFFFF)]).Dispose();
        }
        catch (XenException e)
        {
            Console.WriteLine($"        {e.Message}");
            That(e.Message.Contains("0xfffffff", StringComparison.Ordinal), "the frame is named");
            return;
        }

        throw new InvalidOperationException("no exception");
    });

    private static void AllocateUnbound() => WithDomain((xen, domain) =>
    {
        EvtchnPort port = xen.AllocateUnbound(domain, DomainId.Zero);
        That(port.IsValid, "a port");
        EventChannelStatus status = xen.ReadEventChannel(domain, port);
        Equal(EventChannelState.Unbound, status.State, "state");
        Equal(DomainId.Zero, status.Remote!.Value, "remote");
    });

    private static void SeedGrant() => WithDomain((xen, domain) =>
    {
        var page = new Mfn[1];
        xen.PopulatePhysmap(domain, 0, [new Pfn(0)], page);
        using (GrantTable table = xen.MapGrantTable(domain))
            table.Permit(GrantRef.Console, DomainId.Zero, page[0]);
        (int frames, int maximum) = xen.ReadGrantTableSize(domain);
        That(frames >= 1 && maximum == 64, $"table of {frames} of {maximum} frames");
    });

    private static void Registers() => WithDomain((xen, domain) =>
    {
        // Xen takes the first context of a PV guest's CPU together with its page tables.
        var context = new VcpuGuestContext { Flags = VcpuContextFlags.InKernel };
        context.Registers.Rip = 0xFFFFFFFF81000000;
        try
        {
            xen.SetVcpuContext(domain, 0, context);
        }
        catch (XenException e)
        {
            Console.WriteLine($"        {e.Message}");
            Equal(Errno.EINVAL, e.Error, "error");
            return;
        }

        throw new InvalidOperationException("no exception");
    });

    private static void Claim() => WithDomain((xen, domain) =>
    {
        xen.SetMaxMemory(domain, 1L << 40);
        That(xen.TryClaimPages(domain, 1000), "1,000 pages can be claimed");
        Equal(1000UL, xen.ReadPhysicalInfo().OutstandingPages, "outstanding");
        That(xen.TryClaimPages(domain, 0), "the claim can be given back");
        That(!xen.TryClaimPages(domain, 1UL << 27), "512 GiB cannot");
    });

    private static void NoAllocation() => WithDomain((xen, domain) =>
    {
        for (int i = 0; i < 3; i++)
        {
            xen.TryGetDomain(domain, out _);
            xen.SetMaxMemory(domain, 1024);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            xen.TryGetDomain(domain, out _);
            xen.SetMaxMemory(domain, 1024);
        }

        Equal(0L, GC.GetAllocatedBytesForCurrentThread() - before, "bytes allocated");
    });
}
