using System.Buffers.Binary;

namespace Hypha.Xen;

/// <summary>What a domain is created with (public/domctl.h, xen_domctl_createdomain).</summary>
public sealed record DomainConfig
{
    /// <summary>The domain's lasting name; no other domain should have it.</summary>
    public required Guid Handle { get; init; }

    /// <summary>XSM security label; 0 without a policy.</summary>
    public uint SecurityId { get; init; }

    public DomainCreationFlags Flags { get; init; }

    public int MaxVcpus { get; init; } = 1;

    /// <summary>How many event channels it may have. Xen's tools give 1,023 by default.</summary>
    public int MaxEventChannelPort { get; init; } = 1023;

    /// <summary>Pages of its grant table; 512 grants each. -1 is the hypervisor's own limit.</summary>
    public int MaxGrantFrames { get; init; } = 64;

    /// <summary>Pages to keep track of what it maps of others' grants. -1 is the hypervisor's own limit.</summary>
    public int MaxMaptrackFrames { get; init; } = 1024;

    /// <summary>The highest version of the grant table that the guest may use.</summary>
    public int MaxGrantVersion { get; init; } = 1;

    public int CpuPool { get; init; }

    /// <summary>XEN_X86_EMU_*: devices that Xen emulates; none for a PV guest.</summary>
    public uint Emulation { get; init; }

    /// <summary>XEN_X86_*, e.g. relaxed access to model-specific registers.</summary>
    public uint Misc { get; init; }

    /// <summary>Writes the structure as the hypervisor with this domctl version wants it, into zeroed memory.</summary>
    internal void Write(Span<byte> u, uint version)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(u, SecurityId);                              // 0..4, ssidref
        Handle.TryWriteBytes(u[4..], bigEndian: true, out _);                                 // 4..20, handle
        BinaryPrimitives.WriteUInt32LittleEndian(u[20..], (uint)Flags);                       // 20..24, flags
        BinaryPrimitives.WriteUInt32LittleEndian(u[28..], (uint)MaxVcpus);                    // 28..32, max_vcpus; iommu_opts is before it
        BinaryPrimitives.WriteUInt32LittleEndian(u[32..], (uint)MaxEventChannelPort);         // 32..36, max_evtchn_port
        BinaryPrimitives.WriteInt32LittleEndian(u[36..], MaxGrantFrames);                     // 36..40, max_grant_frames
        BinaryPrimitives.WriteInt32LittleEndian(u[40..], MaxMaptrackFrames);                  // 40..44, max_maptrack_frames
        BinaryPrimitives.WriteUInt32LittleEndian(u[44..], (uint)MaxGrantVersion & 0xF);       // 44..48, grant_opts
        Span<byte> tail = u[TailOffset(version)..];
        BinaryPrimitives.WriteUInt32LittleEndian(tail[4..], (uint)CpuPool);                   // cpupool_id, behind vmtrace_size
        BinaryPrimitives.WriteUInt32LittleEndian(tail[8..], Emulation);                       // arch.emulation_flags
        BinaryPrimitives.WriteUInt32LittleEndian(tail[12..], Misc);                           // arch.misc_flags
    }

    /// <summary>Where vmtrace_size is: version 0x17 (Xen 4.19) put altp2m_opts before it.</summary>
    internal static int TailOffset(uint version) => version >= 0x17 ? 52 : 48;
}

/// <summary>XEN_DOMCTL_CDF_*; none is a PV guest.</summary>
[Flags]
public enum DomainCreationFlags : uint
{
    None = 0,
    Hvm = 1 << 0,
    HardwareAssistedPaging = 1 << 1,
    OutOfSyncOff = 1 << 3,
    XenStoreDomain = 1 << 4,
    Iommu = 1 << 5,
}
