using Hypha.DomainBuilder.Kernel;
using Hypha.Xen;

namespace Hypha.DomainBuilder;

/// <summary>What is to be built.</summary>
public sealed record DomainDescription
{
    /// <summary>The domain's lasting name in the hypervisor: the container's UUID.</summary>
    public required Guid Handle { get; init; }

    public int VCpus { get; init; } = 1;

    public required long MemoryMiB { get; init; }

    public required KernelImage Kernel { get; init; }

    /// <summary>Concatenated in this order.</summary>
    public IReadOnlyList<InitrdPart> Initrds { get; init; } = [];

    public string CommandLine { get; init; } = "";

    /// <summary>Who serves the guest's console and xenstore: may map their pages and bind their event channels.</summary>
    public DomainId Backend { get; init; } = DomainId.Zero;

    public int MaxGrantFrames { get; init; } = 64;
}
