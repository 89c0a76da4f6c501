namespace Hypha.Containers;

/// <summary>What kind of host this is, and how full.</summary>
public sealed record HostInfo
{
    public required string XenVersion { get; init; }
    public required string KernelVersion { get; init; }
    public int Cpus { get; init; }
    public long TotalMemoryMiB { get; init; }
    public long FreeMemoryMiB { get; init; }
    public int Running { get; init; }
    public int Ended { get; init; }
    public uint DomctlVersion { get; init; }
    public uint SysctlVersion { get; init; }
    public string CommandLine { get; init; } = "";
    public string DefaultKernel { get; init; } = "";
    public string DefaultInitrd { get; init; } = "";
}
