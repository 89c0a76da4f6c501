namespace Hypha.Xen;

/// <summary>The machine as the hypervisor sees it (public/sysctl.h, xen_sysctl_physinfo).</summary>
public readonly record struct PhysicalInfo(
    int Cpus, int CpuKhz, ulong TotalPages, ulong FreePages, ulong ScrubPages, ulong OutstandingPages, PhysicalCapabilities Capabilities)
{
    /// <summary>Pages that a new domain can have: free, and not claimed for one that is being built.</summary>
    public ulong AvailablePages => FreePages > OutstandingPages ? FreePages - OutstandingPages : 0;
}

/// <summary>XEN_SYSCTL_PHYSCAP_*.</summary>
[Flags]
public enum PhysicalCapabilities : uint
{
    Hvm = 1 << 0,
    Pv = 1 << 1,
    DirectIo = 1 << 2,
    HardwareAssistedPaging = 1 << 3,
    Shadow = 1 << 4,
    GrantTableV1 = 1 << 8,
    GrantTableV2 = 1 << 9,
}
