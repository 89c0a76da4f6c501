using System.Text.Json.Serialization;

namespace Hypha.Containers.Network;

/// <summary>A container's place on a network: part of its record, so that it keeps it.</summary>
/// <param name="Network">Its name.</param>
/// <param name="Mac">"02:75:0a:4b:00:02".</param>
/// <param name="Address">With the network's prefix length: "10.75.0.2/16".</param>
/// <param name="Address6">"fd75::2/64".</param>
public sealed record NetworkLease(string Network, string Mac, string Address, string Gateway, string Address6, string Gateway6)
{
    public const int Mtu = 1_500; // bytes of an IP packet: what a vif has

    /// <summary>Its network has no way out.</summary>
    public bool Internal { get; init; }

    /// <summary>Ports of the host that lead to the container: "[IP:]HOST:GUEST[/udp]".</summary>
    public IReadOnlyList<string> Publish { get; init; } = [];

    /// <summary>Whom the gateway asks for names, in place of the host's servers.</summary>
    public IReadOnlyList<string> Dns { get; init; } = [];

    /// <summary>What the container may reach: rules, a line each.</summary>
    public string Policy { get; init; } = "";

    /// <summary>"NAME:ADDRESS", for the container's /etc/hosts.</summary>
    public IReadOnlyList<string> AddHost { get; init; } = [];

    /// <summary>The address without its prefix length.</summary>
    [JsonIgnore]
    public string Ip => Address[..Address.IndexOf('/')];

    [JsonIgnore]
    public string Ip6 => Address6[..Address6.IndexOf('/')];
}
