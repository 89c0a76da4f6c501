using CsCheck;
using Hypha.DomainBuilder.Kernel;
using Hypha.DomainBuilder.Pv;
using Hypha.DomainBuilder.Tests.Kernel;
using Hypha.Xen;

namespace Hypha.DomainBuilder.Tests.Pv;

public sealed class PvDomainBuilderTests
{
    private const ulong Plenty = 1 << 26; // 256 GiB

    [Theory]
    [InlineData(16, 1)]
    [InlineData(17, 2)]
    [InlineData(64, 32)]
    [InlineData(1024, 4)]
    public void A_guest_finds_everything_where_the_boot_protocol_says(int mib, int cpus) => BuildAndCheck(new SyntheticKernel(), mib, cpus, 123_457);

    [Theory]
    [InlineData(null, false)]
    [InlineData(null, true)]
    [InlineData(0x8000000000ul, false)]
    [InlineData(0xffff880000000000ul, true)]
    [InlineData(0x8000000800ul, true)]       // not at a page: not taken
    [InlineData(0xffffff8000000000ul, true)] // in the initial region's top table entry: not taken
    public void Kernels_that_cannot_have_list_or_initrd_outside_of_the_first_mapping_get_them_inside(ulong? initP2M, bool modStartPfn) =>
        BuildAndCheck(new SyntheticKernel { InitP2M = initP2M, ModStartPfn = modStartPfn }, 96, 1, 777_777);

    [Fact]
    public void Layouts_hold_for_any_kernel_memory_and_initrd() =>
        Gen.Select(Gen.Int[1, 6 << 20], Gen.Int[0, 5 << 20], Gen.Int[24, 400], Gen.Int[0, 6 << 20], Gen.Int[1, 32], Gen.Bool, Gen.Bool, Gen.Int[0, 250])
            .Sample((text, bss, mib, initrd, cpus, list, start, large) => BuildAndCheck(
                new SyntheticKernel { TextSize = Math.Max(0x41, text), BssSize = bss, InitP2M = list ? 0x8000000000 : null, ModStartPfn = start },
                mib, cpus, initrd, large), iter: 40, threads: 1);

    [Fact]
    public void Memory_in_single_pages_works_as_well() => BuildAndCheck(new SyntheticKernel(), 64, 1, 5000, largeExtents: 0);

    [Fact]
    public void Large_guests_have_a_list_of_many_tables()
    {
        // 40 GiB: the list is 80 MiB, mapped by 40 tables of its own. The layout alone: its memory would not fit here.
        using KernelImage kernel = KernelImage.Load(new SyntheticKernel().Elf(), "k");
        PvLayout layout = PvLayout.Plan(kernel.Elf, 40ul << 18, 3 << 20);
        Assert.Equal(20480ul, layout.P2M.Count);
        Assert.Equal(40ul + 1 + 1, layout.P2MTables.Count);
        Assert.Equal(layout.P2M.End, layout.P2MTables.Start);
        Assert.True(layout.Stack + 1 + 128 <= layout.P2M.Start);
    }

    [Fact]
    public void A_hypercall_page_is_filled_where_the_kernel_wants_it()
    {
        SyntheticKernel kernel = new() { HypercallPage = true };
        MemoryHypervisor machine = BuildAndCheck(kernel, 32, 1, 0);
        Assert.Equal(machine.MachineOf[(SyntheticKernel.PhysicalStart + 0x1000) >> 12], machine.HypercallPage);
    }

    [Fact]
    public void Several_initrds_follow_each_other_at_multiples_of_four()
    {
        MemoryHypervisor machine = new(Plenty);
        using KernelImage kernel = KernelImage.Load(new SyntheticKernel().Elf(), "k");
        new PvDomainBuilder(machine).Build(Describe(kernel, 32) with
        {
            Initrds = [InitrdPart.Of(new byte[] { 1, 2, 3, 4, 5 }, "a"), InitrdPart.Of(new byte[] { 6 }, "b"), InitrdPart.Of(new byte[] { 7, 8 }, "c")],
        });
        GuestView guest = new(machine);
        StartInfoView info = new(guest, machine.Context!.Value.Registers.Rsi);
        Assert.Equal(14ul, info.ModLength);
        Assert.Equal([1, 2, 3, 4, 5, 0, 0, 0, 6, 0, 0, 0, 7, 8, 0, 0], guest.ReadPhysical(info.ModStart, 16));
    }

    [Theory]
    [InlineData("vcpus")]
    [InlineData("max memory")]
    [InlineData("claim")]
    [InlineData("claim refused")]
    [InlineData("populate")]
    [InlineData("single pages")]
    [InlineData("map")]
    [InlineData("clear")]
    [InlineData("event channel")]
    [InlineData("hypercall page")]
    [InlineData("pin")]
    [InlineData("grants")]
    [InlineData("context")]
    public void A_failure_at_any_step_leaves_no_domain_and_no_mapping(string step)
    {
        MemoryHypervisor machine = new(Plenty) { FailAt = step, LargeExtents = 3 };
        using KernelImage kernel = KernelImage.Load(new SyntheticKernel { HypercallPage = true }.Elf(), "k");
        Assert.ThrowsAny<Exception>(() => new PvDomainBuilder(machine).Build(Describe(kernel, 32)));
        Assert.Equal(1, machine.Destroyed);
        Assert.Null(machine.Domain);
        Assert.Equal(0, machine.OpenMappings);
    }

    [Fact]
    public void Cancelling_destroys_what_was_made()
    {
        MemoryHypervisor machine = new(Plenty);
        using CancellationTokenSource cancel = new();
        using KernelImage kernel = KernelImage.Load(new SyntheticKernel().Elf(), "k");
        InitrdPart initrd = InitrdPart.Of(new CancellingMemory(cancel).Memory, "i");
        Assert.Throws<OperationCanceledException>(() => new PvDomainBuilder(machine).Build(Describe(kernel, 32) with { Initrds = [initrd] }, cancel.Token));
        Assert.Equal(1, machine.Destroyed);
        Assert.Equal(0, machine.OpenMappings);
    }

    [Fact]
    public void What_cannot_be_is_refused_before_anything_is_made()
    {
        MemoryHypervisor machine = new(freePages: 100 << 8);
        using KernelImage kernel = KernelImage.Load(new SyntheticKernel().Elf(), "k"), plain = KernelImage.Load(new SyntheticKernel { Notes = false }.Elf(), "k");
        Refused(Describe(kernel, 64) with { VCpus = 0 }, "cannot have 0 CPUs: 1 to 32");
        Refused(Describe(kernel, 64) with { VCpus = 1000 }, "cannot have 1000 CPUs");
        Refused(Describe(kernel, 101), "101 MiB of memory are more than the 100 MiB");
        Refused(Describe(kernel, 0), "cannot have 0 MiB");
        Refused(Describe(kernel, -5), "cannot have -5 MiB");
        Refused(Describe(kernel, long.MaxValue), "cannot have");
        Refused(Describe(kernel, 1), "1 MiB of memory are too few");
        Refused(Describe(plain, 64), "CONFIG_XEN_PV");
        Refused(Describe(kernel, 64) with { CommandLine = new string('x', 1024) }, "1024 bytes long; at most 1023");
        Refused(Describe(kernel, 64) with { CommandLine = "a\0b" }, "none of them zero");
        Refused(Describe(kernel, 8) with { Initrds = [InitrdPart.Of(new byte[9 << 20], "i")] }, "initrd (9 MiB)");
        Assert.Equal("cannot use the initrd /nonexistent: there is no such file",
            Assert.Throws<DomainBuildException>(() => InitrdPart.Open("/nonexistent")).Message);
        Assert.Empty(machine.Calls);

        void Refused(DomainDescription description, string why) =>
            Assert.Contains(why, Assert.Throws<DomainBuildException>(() => new PvDomainBuilder(machine).Build(description)).Message);
    }

    [Fact]
    public void Kernels_with_mad_addresses_are_refused_or_built_right()
    {
        byte[] elf = new SyntheticKernel().Elf();
        Random random = new(99);
        for (int round = 0; round < 3000; round++)
        {
            byte[] broken = (byte[])elf.Clone();
            for (int i = 0; i < 1 + (round % 3); i++)
                broken[16 + random.Next(64 + (2 * 56) + 230 - 16)] ^= (byte)(1 << random.Next(8));
            MemoryHypervisor machine = new(Plenty);
            try
            {
                using KernelImage kernel = KernelImage.Load(broken, "k");
                new PvDomainBuilder(machine).Build(Describe(kernel, 32));
                new GuestView(machine).CheckTables();
            }
            catch (Exception e) when (e is KernelImageException or DomainBuildException)
            {
                Assert.Null(machine.Domain);
            }
        }
    }

    private static DomainDescription Describe(KernelImage kernel, long mib) =>
        new() { Handle = Guid.NewGuid(), MemoryMiB = mib, Kernel = kernel, CommandLine = "console=hvc0" };

    private static MemoryHypervisor BuildAndCheck(SyntheticKernel source, int mib, int cpus, int initrdLength, int largeExtents = int.MaxValue)
    {
        MemoryHypervisor machine = new(Plenty) { LargeExtents = largeExtents };
        using KernelImage kernel = KernelImage.Load(source.Elf(zeroesInFile: 0), "k");
        byte[] initrd = new byte[initrdLength];
        new Random(3).NextBytes(initrd);
        BuiltDomain domain = new PvDomainBuilder(machine).Build(Describe(kernel, mib) with
        {
            VCpus = cpus,
            Initrds = initrdLength == 0 ? [] : [InitrdPart.Of(initrd, "i")],
            Backend = new DomainId(3),
        });

        ulong pages = (ulong)mib << 8;
        Assert.Equal(0, machine.OpenMappings);
        Assert.Equal(pages, (ulong)machine.MachineOf.Count);
        Assert.Equal(cpus, machine.Config!.MaxVcpus);
        VcpuGuestContext context = machine.Context!.Value;
        GuestView guest = new(machine);
        guest.CheckTables();

        // The kernel at its address, its .bss zero, its entry where RIP points.
        Assert.Equal(SyntheticKernel.Entry, context.Registers.Rip);
        ulong start = SyntheticKernel.VirtBase + SyntheticKernel.PhysicalStart;
        Assert.Equal(source.Text(), guest.Read(start, source.TextSize));
        Assert.DoesNotContain(guest.Read(start + (ulong)source.TextSize, source.BssSize), b => b != 0);

        // start_info at RSI.
        StartInfoView info = new(guest, context.Registers.Rsi);
        Assert.StartsWith("xen-3.0-x86_64", info.Magic);
        Assert.Equal(pages, info.Pages);
        Assert.Equal("console=hvc0", info.CommandLine);
        Assert.Equal(0x77ul << 12, info.SharedInfo);
        Assert.Equal((domain.StoreFrame.Value, domain.StorePort.Value), (info.StoreMfn, info.StorePort));
        Assert.Equal((domain.ConsoleFrame.Value, domain.ConsolePort.Value), (info.ConsoleMfn, info.ConsolePort));
        Assert.NotEqual(info.ConsolePort, info.StorePort);
        Assert.Equal((info.ConsoleMfn, info.StoreMfn, new DomainId(3)), machine.Grants);
        Assert.DoesNotContain(machine.Page(info.ConsoleMfn), b => b != 0);
        Assert.DoesNotContain(machine.Page(info.StoreMfn), b => b != 0);

        // The p2m list, and the frames that are said to hold it.
        byte[] list = guest.Read(info.MfnList, (int)pages * 8);
        ReadOnlySpan<ulong> machineFrames = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(list);
        for (ulong pfn = 0; pfn < pages; pfn++)
            Assert.Equal(machine.MachineOf[pfn], machineFrames[(int)pfn]);
        ulong listPages = ((pages * 8) + 4095) / 4096;
        for (ulong i = 0; i < listPages; i++)
            Assert.Equal(info.FirstP2MPfn + i, machine.FrameOf(guest.Walk(info.MfnList + (i * 4096))!.Value.Mfn));
        Assert.True(info.P2MFrames >= listPages);

        // The page tables: the top one first, all within the frames that are said to hold them or the list's.
        Assert.Equal(machine.PinnedTop, guest.Walk(info.TableBase)!.Value.Mfn);
        ulong tablePfn = machine.FrameOf(machine.PinnedTop!.Value);
        foreach (ulong table in guest.Tables.Keys)
        {
            ulong pfn = machine.FrameOf(table);
            Assert.True(pfn - tablePfn < info.TableFrames || pfn - info.FirstP2MPfn < info.P2MFrames, $"table at pfn 0x{pfn:x}");
        }

        // One region, one to one, to a multiple of 4 MiB (or the end of memory), with 512 KiB and more behind the stack.
        ulong stackPfn = (context.Registers.Rsp - 8 - SyntheticKernel.VirtBase) >> 12, mapped = 0;
        while (guest.Walk(SyntheticKernel.VirtBase + (mapped << 12)) is { } page)
        {
            Assert.Equal(machine.MachineOf[mapped], page.Mfn);
            Assert.Equal(!guest.Tables.ContainsKey(page.Mfn), page.Writable);
            mapped++;
        }
        Assert.True(mapped % 1024 == 0 || mapped == pages, $"{mapped} pages are mapped");
        Assert.True(mapped >= stackPfn + 1 + 128);
        Assert.Equal(context.Registers.Rsp, context.KernelSp);
        Assert.True(guest.Walk(context.Registers.Rsp - 8)!.Value.Writable);

        // The initrd, and nothing lying in anything else.
        Assert.Equal((ulong)initrdLength, info.ModLength);
        if (initrdLength > 0)
        {
            bool byFrame = (info.Flags & 8) != 0;
            Assert.Equal(source.ModStartPfn, byFrame);
            Assert.Equal(initrd, byFrame ? guest.ReadPhysical(info.ModStart, initrdLength) : guest.Read(info.ModStart, initrdLength));
        }
        CheckApart(machine, guest, source, info, context, stackPfn, tablePfn, listPages);

        byte[] shared = machine.Page(0x77);
        for (int vcpu = 0; vcpu < 32; vcpu++)
            Assert.Equal(1, shared[(vcpu * 64) + 1]);
        Assert.Equal(0xe033, context.Registers.Cs);
        Assert.Equal(0xe02b, context.Registers.Ss);
        Assert.True(context.Flags.HasFlag(VcpuContextFlags.InKernel | VcpuContextFlags.Online));
        return machine;
    }

    private static void CheckApart(
        MemoryHypervisor machine, GuestView guest, SyntheticKernel source, StartInfoView info, VcpuGuestContext context,
        ulong stackPfn, ulong tablePfn, ulong listPages)
    {
        List<(string What, ulong Start, ulong End)> ranges =
        [
            ("kernel", SyntheticKernel.PhysicalStart >> 12, (source.End + 4095) >> 12),
            ("start_info", machine.FrameOf(guest.Walk(context.Registers.Rsi)!.Value.Mfn), 1),
            ("store", machine.FrameOf(info.StoreMfn), 1),
            ("console", machine.FrameOf(info.ConsoleMfn), 1),
            ("stack", stackPfn, 1),
            ("tables", tablePfn, tablePfn + info.TableFrames),
            ("p2m", info.FirstP2MPfn, info.FirstP2MPfn + Math.Max(info.P2MFrames, listPages)),
        ];
        if (info.ModLength > 0)
        {
            ulong first = (info.Flags & 8) != 0 ? info.ModStart : (info.ModStart - SyntheticKernel.VirtBase) >> 12;
            ranges.Add(("initrd", first, first + ((info.ModLength + 4095) >> 12)));
        }
        ranges = [.. ranges.Select(range => range.End == 1 ? range with { End = range.Start + 1 } : range).OrderBy(range => range.Start)];
        for (int i = 1; i < ranges.Count; i++)
            Assert.True(ranges[i - 1].End <= ranges[i].Start, $"{ranges[i - 1]} and {ranges[i]} overlap");
        Assert.True(ranges[^1].End <= info.Pages);
    }

    /// <summary>Cancels when its bytes are asked for: in the middle of a build.</summary>
    private sealed class CancellingMemory(CancellationTokenSource cancel) : System.Buffers.MemoryManager<byte>
    {
        private readonly byte[] _bytes = new byte[100];

        public override Span<byte> GetSpan()
        {
            cancel.Cancel();
            return _bytes;
        }

        public override Memory<byte> Memory => CreateMemory(_bytes.Length);
        public override System.Buffers.MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();
        public override void Unpin() { }
        protected override void Dispose(bool disposing) { }
    }
}
