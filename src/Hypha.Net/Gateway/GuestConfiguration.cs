using Hypha.Net.Nat;
using Hypha.Net.Policy;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>Who a guest is on its network, and who its gateway is.</summary>
public sealed record GuestConfiguration
{
    /// <summary>Null: taken from what the guest sends, where it is alone on its link.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>The guest's address and its network's size.</summary>
    public Subnet? V4 { get; init; }

    public Subnet? V6 { get; init; }

    public IpAddress? GatewayV4 { get; init; }

    public IpAddress? GatewayV6 { get; init; }

    public MacAddress GatewayMac { get; init; } = new(0x02_00_48_59_50_01UL);

    /// <summary>Bytes of an IP packet; null is what the link carries.</summary>
    public int? Mtu { get; init; }

    /// <summary>By which others on its network find it: "web".</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Whom the gateway asks for names; empty is whom the host asks.</summary>
    public IReadOnlyList<IpAddress> Dns { get; init; } = [];

    /// <summary>All addresses that are the guest's and nobody else's.</summary>
    public IEnumerable<IpAddress> Addresses
    {
        get
        {
            if (V4 is { } v4)
                yield return v4.Address;
            if (V6 is { } v6)
                yield return v6.Address;
            if (Mac is { } mac)
                yield return IpAddress.LinkLocalOf(mac);
        }
    }

    /// <summary>Its network has no way out: it reaches the gateway and the other members, and the gateway asks nobody for names on its behalf.</summary>
    public bool Internal { get; init; }

    /// <summary>What it may reach.</summary>
    public NetworkPolicy Policy { get; init; } = NetworkPolicy.None;

    public NatLimits Limits { get; init; } = new();

    public IReadOnlyList<PublishedPort> Published { get; init; } = [];

    /// <summary>Whether the guest may speak as this address: its own, and over IPv6 those that it makes of its MAC (RFC 4862).</summary>
    public bool Owns(IpAddress source, MacAddress mac)
    {
        if (source.IsV4)
            return V4 is { } v4 && source == v4.Address;
        IpAddress linkLocal = IpAddress.LinkLocalOf(mac);
        if (source.IsLinkLocal)
            return source != IpAddress.LinkLocalOf(GatewayMac);
        return V6 is { } v6 && (source == v6.Address || (v6.Length <= 64 && v6.Contains(source) && source.Low == linkLocal.Low));
    }

    /// <summary>Whether somebody at this address may appear to the guest as who they are: the guest's answers must come back here.</summary>
    public bool MayShow(IpAddress peer, IpAddress guest) =>
        peer.IsV4 == guest.IsV4 && !peer.IsLoopback && !peer.IsLinkLocal && !peer.IsMulticast && !peer.IsUnspecified
        && !IsOnNetwork(peer);

    /// <summary>Whether it is an address of the guest's own network, or of whoever it is there.</summary>
    public bool IsOnNetwork(IpAddress address) => address.IsV4 ? V4 is { } v4 && v4.Contains(address) : V6 is { } v6 && v6.Contains(address);

    /// <summary>Whether it is an address of the gateway itself.</summary>
    public bool IsGateway(IpAddress address) =>
        address == GatewayV4 || address == GatewayV6 || address == IpAddress.LinkLocalOf(GatewayMac);
}
