using Hypha.Xen;

namespace Hypha.DomainBuilder;

/// <summary>A domain with everything in place, paused before its first instruction.</summary>
public sealed record BuiltDomain
{
    public required DomainId Id { get; init; }

    /// <summary>In the guest; unbound, for the back end to bind.</summary>
    public required EvtchnPort ConsolePort { get; init; }

    /// <inheritdoc cref="ConsolePort"/>
    public required EvtchnPort StorePort { get; init; }

    public required Mfn ConsoleFrame { get; init; }
    public required Mfn StoreFrame { get; init; }

    /// <summary>How long each step took, in the order in which they were done.</summary>
    public required IReadOnlyList<BuildPhase> Phases { get; init; }
}

/// <summary>A step of a build: "populate", "kernel", "page tables"...</summary>
public readonly record struct BuildPhase(string Name, TimeSpan Time);
