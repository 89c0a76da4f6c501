using Hypha.Xen;

namespace Hypha.Net.Link.Netif;

/// <summary>What a front end says of itself in the store, once it is ready (public/io/netif.h).</summary>
/// <param name="Segments">It takes long TCP segments of both families, in pieces, and finishes checksums: feature-sg, feature-gso-tcpv4, feature-gso-tcpv6,
/// feature-ipv6-csum-offload, and no feature-no-csum-offload.</param>
public sealed record NetifPlace(DomainId Guest, IReadOnlyList<NetifQueuePlace> Queues, bool Segments);

/// <summary>Where one pair of rings is.</summary>
/// <param name="Transmitted">The port that tells of frames from the guest; with <paramref name="Received"/> one and the same without feature-split-event-channels.</param>
public readonly record struct NetifQueuePlace(GrantRef Transmit, GrantRef Receive, EvtchnPort Transmitted, EvtchnPort Received);
