using Hypha.DomainBuilder.Pv;
using Hypha.Xen;

namespace Hypha.DomainBuilder;

/// <summary>A domain that exists, paused, with nothing in it.</summary>
public sealed class CreatedDomain
{
    internal CreatedDomain(DomainId id, DomainDescription description, PvLayout layout) => (Id, Description, Layout) = (id, description, layout);

    public DomainId Id { get; }

    internal DomainDescription Description { get; }

    internal PvLayout Layout { get; }
}
