using static Hypha.Xen.Native.Layout;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Xen;

/// <summary>What the hypervisor knows of a domain (public/domctl.h, xen_domctl_getdomaininfo).</summary>
public readonly record struct DomainInfo
{
    public DomainId Id { get; private init; }

    public DomainFlags Flags { get; private init; }

    /// <summary>Why the guest stopped; only meaningful with <see cref="DomainFlags.Shutdown"/>.</summary>
    public ShutdownReason ShutdownReason { get; private init; }

    /// <summary>The name that its creator gave it and that no other domain has.</summary>
    public Guid Handle { get; private init; }

    /// <summary>Pages that it has now.</summary>
    public ulong TotalPages { get; private init; }

    /// <summary>Pages that it may have at most.</summary>
    public ulong MaxPages { get; private init; }

    /// <summary>Where its shared info page lies in the machine's memory.</summary>
    public Mfn SharedInfoFrame { get; private init; }

    public TimeSpan CpuTime { get; private init; }

    public int OnlineVcpus { get; private init; }

    /// <summary>How many virtual CPUs it was made for; 0 before they exist.</summary>
    public int MaxVcpus { get; private init; }

    public bool IsDying => Flags.HasFlag(DomainFlags.Dying);

    public bool IsShutdown => Flags.HasFlag(DomainFlags.Shutdown);

    public bool IsPaused => Flags.HasFlag(DomainFlags.Paused);

    public bool IsHvm => Flags.HasFlag(DomainFlags.Hvm);

    // The structure is the same for domctl 0x15 to 0x18.
    internal static DomainInfo Parse(ReadOnlySpan<byte> bytes)
    {
        uint flags = ReadUInt32LittleEndian(bytes[xen_domctl_getdomaininfo.flags..]);
        ulong nanoseconds = ReadUInt64LittleEndian(bytes[xen_domctl_getdomaininfo.cpu_time..]);
        return new DomainInfo
        {
            Id = new DomainId(ReadUInt16LittleEndian(bytes[xen_domctl_getdomaininfo.domain..])),
            Flags = (DomainFlags)(flags & 0xFFFF),
            ShutdownReason = (ShutdownReason)((flags >> 16) & 0xFF), // XEN_DOMINF_shutdownshift, -mask
            TotalPages = ReadUInt64LittleEndian(bytes[xen_domctl_getdomaininfo.tot_pages..]),
            MaxPages = ReadUInt64LittleEndian(bytes[xen_domctl_getdomaininfo.max_pages..]),
            SharedInfoFrame = new Mfn(ReadUInt64LittleEndian(bytes[xen_domctl_getdomaininfo.shared_info_frame..])),
            CpuTime = TimeSpan.FromTicks((long)(nanoseconds / 100)),
            OnlineVcpus = (int)ReadUInt32LittleEndian(bytes[xen_domctl_getdomaininfo.nr_online_vcpus..]),
            MaxVcpus = (int)(ReadUInt32LittleEndian(bytes[xen_domctl_getdomaininfo.max_vcpu_id..]) + 1), // ~0 is none
            Handle = new Guid(bytes.Slice(xen_domctl_getdomaininfo.handle, 16), bigEndian: true),
        };
    }
}

/// <summary>XEN_DOMINF_*.</summary>
[Flags]
public enum DomainFlags : uint
{
    Dying = 1 << 0,
    Hvm = 1 << 1,
    Shutdown = 1 << 2,
    Paused = 1 << 3,
    Blocked = 1 << 4,
    Running = 1 << 5,
    Debugged = 1 << 6,
    XenStoreDomain = 1 << 7,
    HardwareAssistedPaging = 1 << 8,
}

/// <summary>public/sched.h, SHUTDOWN_*.</summary>
public enum ShutdownReason : uint
{
    PowerOff = 0,
    Reboot = 1,
    Suspend = 2,
    Crash = 3,
    Watchdog = 4,
    SoftReset = 5,
}
