using Hypha.Net.Wire;

namespace Hypha.Net.Policy;

/// <summary>A line of a policy: what it is for, and what is to be done with that.</summary>
/// <param name="Peer">Where to, or from where; null is anywhere.</param>
/// <param name="Name">Where to, by its place among the policy's names.</param>
internal readonly record struct Rule(bool Allow, IpProtocol? Protocol, Subnet? Peer, int? Name, (ushort First, ushort Last)[]? Ports)
{
    /// <summary>Whether it names where; else it is for whatever is in reach.</summary>
    public bool IsByAddress => Peer is not null;

    /// <param name="learned">What is known of the peer's names.</param>
    public bool Matches(IpProtocol protocol, IpAddress peer, ushort port, LearnedName? learned, long now)
    {
        if (protocol == IpProtocol.Icmp6)
            protocol = IpProtocol.Icmp;
        if ((Protocol is { } mine && mine != protocol) || (Peer is { } network && !network.Contains(peer)))
            return false;
        if (Name is { } name && !LearnedName.Holds(learned, name, now))
            return false;
        if (Ports is null)
            return true;
        foreach (var (first, last) in Ports)
        {
            if (first <= port && port <= last)
                return true;
        }
        return false;
    }
}
