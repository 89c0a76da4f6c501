using Hypha.Xen.Native;
using System.Buffers.Binary;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypha.Xen.Tests;

/// <summary>Every structure's size and every field's offset, against what a C compiler makes of the headers.</summary>
public sealed class LayoutTests
{
    private const BindingFlags Any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private static void AssertAll(IReadOnlyList<(string Expression, ulong Ours)> facts, string declarations = "")
    {
        ulong[] theirs = CCompiler.Evaluate(facts.Select(f => f.Expression), declarations);
        Assert.Equal(facts.Count, theirs.Length);
        string[] wrong = [.. facts.Zip(theirs).Where(p => p.First.Ours != p.Second)
            .Select(p => $"{p.First.Expression}: ours is {p.First.Ours}, C's is {p.Second}")];
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_offset_and_size_that_is_written_by_hand_is_the_compilers()
    {
        var facts = new List<(string, ulong)>();
        foreach (Type structure in typeof(Layout).GetNestedTypes(Any))
            foreach (FieldInfo field in structure.GetFields(Any))
            {
                string type = structure.Name == "grant_entry_v1" ? "grant_entry_v1_t" : $"struct {structure.Name}";
                facts.Add((field.Name == "Size" ? $"sizeof({type})" : $"offsetof({type}, {field.Name.Replace("__", ".")})", (ulong)(int)field.GetRawConstantValue()!));
            }

        Assert.True(facts.Count > 80, $"{facts.Count} facts");
        AssertAll(facts);
    }

    public static TheoryData<Type, string> Structures => new()
    {
        { typeof(VcpuGuestContext), "struct vcpu_guest_context" },
        { typeof(CpuUserRegisters), "struct cpu_user_regs" },
        { typeof(TrapInfo), "struct trap_info" },
        { typeof(PrivcmdIoctl.HypercallArguments), "struct privcmd_hypercall" },
        { typeof(PrivcmdIoctl.MmapBatchArguments), "struct privcmd_mmapbatch_v2" },
        { typeof(PrivcmdIoctl.MmapResourceArguments), "struct privcmd_mmap_resource" },
        { typeof(EvtchnIoctl.Interdomain), "struct ioctl_evtchn_bind_interdomain" },
        { typeof(GrantIoctl.GrantRefEntry), "struct ioctl_gntdev_grant_ref" },
        { typeof(GrantIoctl.MapHeader), "struct ioctl_gntdev_map_grant_ref" },
        { typeof(GrantIoctl.AllocHeader), "struct ioctl_gntalloc_alloc_gref" },
        { typeof(GrantIoctl.UnmapNotify), "struct ioctl_gntdev_unmap_notify" },
        { typeof(GrantIoctl.UnmapNotify), "struct ioctl_gntalloc_unmap_notify" },
    };

    [Theory]
    [MemberData(nameof(Structures))]
    public void Every_field_lies_where_the_compiler_puts_it(Type ours, string theirs)
    {
        var facts = new List<(string, ulong)>();
        foreach (FieldInfo field in ours.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            facts.Add(($"offsetof({theirs}, {CName(ours, field.Name)})", (ulong)Offset(ours, field)));
        string? array = theirs switch // what follows a header in the same call
        {
            "struct ioctl_gntdev_map_grant_ref" => "refs",
            "struct ioctl_gntalloc_alloc_gref" => "gref_ids",
            _ => null,
        };
        facts.Add((array is null ? $"sizeof({theirs})" : $"offsetof({theirs}, {array})", (ulong)Marshal.SizeOf(ours)));
        AssertAll(facts);
    }

    private static int Offset(Type type, FieldInfo field) =>
        field.GetCustomAttribute<FieldOffsetAttribute>()?.Value ?? (int)Marshal.OffsetOf(type, field.Name);

    private static string CName(Type type, string name) => type == typeof(VcpuGuestContext) ? name switch
    {
        "Flags" => "flags",
        "Registers" => "user_regs",
        "Traps" => "trap_ctxt",
        "LdtBase" => "ldt_base",
        "LdtEntries" => "ldt_ents",
        "GdtFrames" => "gdt_frames",
        "GdtEntries" => "gdt_ents",
        "KernelSs" => "kernel_ss",
        "KernelSp" => "kernel_sp",
        "ControlRegisters" => "ctrlreg",
        "DebugRegisters" => "debugreg",
        "EventCallback" => "event_callback_eip",
        "FailsafeCallback" => "failsafe_callback_eip",
        "SyscallCallback" => "syscall_callback_eip",
        "VmAssist" => "vm_assist",
        "FsBase" => "fs_base",
        "GsBaseKernel" => "gs_base_kernel",
        "GsBaseUser" => "gs_base_user",
        _ => throw new ArgumentException(name),
    } : name switch
    {
        "ErrorCode" => "error_code",
        "EntryVector" => "entry_vector",
        "SavedUpcallMask" => "saved_upcall_mask",
        _ when type == typeof(CpuUserRegisters) || type == typeof(TrapInfo) => name.ToLowerInvariant(),
        _ when type == typeof(PrivcmdIoctl.HypercallArguments) && name.StartsWith("arg", StringComparison.Ordinal) => $"arg[{name[3..]}]",
        _ => name,
    };

    [Fact]
    public void A_virtual_CPUs_context_holds_its_parts_whole()
    {
        Assert.Equal(VcpuGuestContext.Size, Unsafe.SizeOf<VcpuGuestContext>());
        Assert.Equal(4096, Unsafe.SizeOf<TrapTable>());
        AssertAll([
            ("VGCF_I387_VALID", (ulong)VcpuContextFlags.FpuValid), ("VGCF_IN_KERNEL", (ulong)VcpuContextFlags.InKernel),
            ("VGCF_online", (ulong)VcpuContextFlags.Online), ("VGCF_syscall_disables_events", (ulong)VcpuContextFlags.SyscallDisablesEvents),
            ("VGCF_failsafe_disables_events", (ulong)VcpuContextFlags.FailsafeDisablesEvents),
            ("xen_pfn_to_cr3(0x12345678)", VcpuGuestContext.ToCr3(new Mfn(0x12345678))),
        ]);
    }

    [Fact]
    public void Requests_to_the_kernel_have_its_numbers() => AssertAll([
        ("IOCTL_PRIVCMD_HYPERCALL", PrivcmdIoctl.Hypercall), ("IOCTL_PRIVCMD_MMAPBATCH_V2", PrivcmdIoctl.MmapBatchV2),
        ("IOCTL_PRIVCMD_MMAP_RESOURCE", PrivcmdIoctl.MmapResource),
        ("IOCTL_EVTCHN_BIND_VIRQ", EvtchnIoctl.BindVirq), ("IOCTL_EVTCHN_BIND_INTERDOMAIN", EvtchnIoctl.BindInterdomain),
        ("IOCTL_EVTCHN_BIND_UNBOUND_PORT", EvtchnIoctl.BindUnboundPort), ("IOCTL_EVTCHN_UNBIND", EvtchnIoctl.Unbind),
        ("IOCTL_EVTCHN_NOTIFY", EvtchnIoctl.Notify), ("IOCTL_EVTCHN_RESET", EvtchnIoctl.Reset),
        ("IOCTL_GNTDEV_MAP_GRANT_REF", GrantIoctl.MapGrantRef), ("IOCTL_GNTDEV_SET_UNMAP_NOTIFY", GrantIoctl.SetUnmapNotify),
        ("IOCTL_GNTALLOC_SET_UNMAP_NOTIFY", GrantIoctl.SetUnmapNotify), ("IOCTL_GNTALLOC_ALLOC_GREF", GrantIoctl.AllocGref),
        ("UNMAP_NOTIFY_CLEAR_BYTE", GrantIoctl.UNMAP_NOTIFY_CLEAR_BYTE), ("UNMAP_NOTIFY_SEND_EVENT", GrantIoctl.UNMAP_NOTIFY_SEND_EVENT),
        ("GNTALLOC_FLAG_WRITABLE", GrantIoctl.GNTALLOC_FLAG_WRITABLE),
    ]);

    [Fact]
    public void Commands_have_the_headers_numbers()
    {
        var facts = new List<(string, ulong)>();
        Add<HypercallNumber>("__HYPERVISOR_");
        Add<XenVersionOp>("XENVER_");
        Add<MemoryOp>("XENMEM_");
        Add<EventChannelOp>("EVTCHNOP_");
        Add<DomctlCommand>("XEN_DOMCTL_");
        Add<SysctlCommand>("XEN_SYSCTL_");
        facts.AddRange([
            ("MMUEXT_PIN_L1_TABLE", (ulong)MmuExtCommand.PinL1Table), ("MMUEXT_PIN_L2_TABLE", (ulong)MmuExtCommand.PinL2Table),
            ("MMUEXT_PIN_L3_TABLE", (ulong)MmuExtCommand.PinL3Table), ("MMUEXT_PIN_L4_TABLE", (ulong)MmuExtCommand.PinL4Table),
            ("MMUEXT_UNPIN_TABLE", (ulong)MmuExtCommand.UnpinTable), ("MMUEXT_CLEAR_PAGE", (ulong)MmuExtCommand.ClearPage), ("MMU_MACHPHYS_UPDATE", 1),
            ("SHUTDOWN_poweroff", (ulong)ShutdownReason.PowerOff), ("SHUTDOWN_reboot", (ulong)ShutdownReason.Reboot),
            ("SHUTDOWN_suspend", (ulong)ShutdownReason.Suspend), ("SHUTDOWN_crash", (ulong)ShutdownReason.Crash),
            ("SHUTDOWN_watchdog", (ulong)ShutdownReason.Watchdog), ("SHUTDOWN_soft_reset", (ulong)ShutdownReason.SoftReset),
            ("XEN_DOMINF_dying", (ulong)DomainFlags.Dying), ("XEN_DOMINF_hvm_guest", (ulong)DomainFlags.Hvm),
            ("XEN_DOMINF_shutdown", (ulong)DomainFlags.Shutdown), ("XEN_DOMINF_paused", (ulong)DomainFlags.Paused),
            ("XEN_DOMINF_blocked", (ulong)DomainFlags.Blocked), ("XEN_DOMINF_running", (ulong)DomainFlags.Running),
            ("XEN_DOMCTL_CDF_hvm", (ulong)DomainCreationFlags.Hvm), ("XEN_DOMCTL_CDF_hap", (ulong)DomainCreationFlags.HardwareAssistedPaging),
            ("XEN_DOMCTL_CDF_iommu", (ulong)DomainCreationFlags.Iommu), ("XEN_DOMCTL_CDF_xs_domain", (ulong)DomainCreationFlags.XenStoreDomain),
            ("XEN_SYSCTL_PHYSCAP_pv", (ulong)PhysicalCapabilities.Pv), ("XEN_SYSCTL_PHYSCAP_gnttab_v2", (ulong)PhysicalCapabilities.GrantTableV2),
            ("EVTCHNSTAT_unbound", (ulong)EventChannelState.Unbound), ("EVTCHNSTAT_interdomain", (ulong)EventChannelState.Interdomain),
            ("VIRQ_DOM_EXC", (ulong)Virq.DomainException), ("VIRQ_CONSOLE", (ulong)Virq.Console),
            ("DOMID_SELF", DomainId.Self.Value), ("DOMID_INVALID", DomainId.Invalid.Value), ("DOMID_FIRST_RESERVED", DomainId.FirstReserved.Value),
            ("GNTTAB_RESERVED_CONSOLE", GrantRef.Console.Value), ("GNTTAB_RESERVED_XENSTORE", GrantRef.XenStore.Value),
            ("VCHAN_NOTIFY_WRITE", VchanProtocol.NotifyWrite), ("VCHAN_NOTIFY_READ", VchanProtocol.NotifyRead),
            ("GTF_permit_access", 1), ("GTF_readonly", 1 << 2), ("GNTTABOP_query_size", 6), ("SCHEDOP_remote_shutdown", 4),
            ("XENMEM_resource_grant_table", 1), ("XENMEM_resource_grant_table_id_shared", 0),
            ("XEN_DOMCTL_INTERFACE_VERSION", 0x15), ("XEN_SYSCTL_INTERFACE_VERSION", 0x15),
        ]);
        AssertAll(facts);

        void Add<T>(string prefix) where T : struct, Enum => facts.AddRange(
            Enum.GetValues<T>().Select(value => ($"{prefix}{value}", Convert.ToUInt64(value))));
    }

    [Theory]
    [InlineData(0x15u, "struct xen_domctl_createdomain")]
    [InlineData(0x16u, "struct xen_domctl_createdomain")]
    [InlineData(0x17u, "struct xen_domctl_createdomain_0x17")]
    [InlineData(0x18u, "struct xen_domctl_createdomain_0x17")]
    public void A_domains_configuration_is_written_as_each_version_wants_it(uint version, string structure)
    {
        byte[] bytes = new byte[128];
        var config = new DomainConfig
        {
            Handle = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"),
            SecurityId = 0x101,
            Flags = (DomainCreationFlags)0x202,
            MaxVcpus = 0x303,
            MaxEventChannelPort = 0x404,
            MaxGrantFrames = 0x505,
            MaxMaptrackFrames = -1,
            MaxGrantVersion = 2,
            CpuPool = 0x606,
            Emulation = 0x707,
            Misc = 0x808,
        };
        config.Write(bytes, version);
        (string Field, uint Value)[] fields =
        [
            ("ssidref", 0x101), ("flags", 0x202), ("iommu_opts", 0), ("max_vcpus", 0x303), ("max_evtchn_port", 0x404), ("max_grant_frames", 0x505),
            ("max_maptrack_frames", uint.MaxValue), ("grant_opts", 2), ("vmtrace_size", 0), ("cpupool_id", 0x606),
            ("arch.emulation_flags", 0x707), ("arch.misc_flags", 0x808), ("handle", 0x33221100),
        ];
        string excerpt = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Headers", "createdomain-4.20.h"));
        ulong[] offsets = CCompiler.Evaluate(fields.Select(f => $"offsetof({structure}, {f.Field})").Append($"sizeof({structure})"), excerpt);
        for (int i = 0; i < fields.Length; i++)
            Assert.True(fields[i].Value == BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan((int)offsets[i])), fields[i].Field);
        Assert.Equal(-1, bytes.AsSpan((int)offsets[^1]).IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void A_domains_state_is_read_from_its_fields()
    {
        byte[] bytes = new byte[Layout.xen_domctl_getdomaininfo.Size];
        (string Field, ulong Value)[] fields =
        [
            ("domain", 7), ("flags", 0x00030004), ("tot_pages", 11), ("max_pages", 12), ("shared_info_frame", 13), ("cpu_time", 5_000_000_000),
            ("nr_online_vcpus", 2), ("max_vcpu_id", 3),
        ];
        ulong[] offsets = CCompiler.Evaluate(fields.Select(f => $"offsetof(struct xen_domctl_getdomaininfo, {f.Field})"));
        ulong[] sizes = CCompiler.Evaluate(fields.Select(f => $"sizeof(((struct xen_domctl_getdomaininfo *)0)->{f.Field})"));
        for (int i = 0; i < fields.Length; i++)
            BitConverter.GetBytes(fields[i].Value).AsSpan(0, (int)sizes[i]).CopyTo(bytes.AsSpan((int)offsets[i]));
        DomainInfo info = DomainInfo.Parse(bytes);
        Assert.Equal(new DomainId(7), info.Id);
        Assert.Equal(DomainFlags.Shutdown, info.Flags);
        Assert.Equal(ShutdownReason.Crash, info.ShutdownReason);
        Assert.Equal((11UL, 12UL, new Mfn(13)), (info.TotalPages, info.MaxPages, info.SharedInfoFrame));
        Assert.Equal(TimeSpan.FromSeconds(5), info.CpuTime);
        Assert.Equal((2, 4), (info.OnlineVcpus, info.MaxVcpus));
    }
}
