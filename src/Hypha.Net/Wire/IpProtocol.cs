namespace Hypha.Net.Wire;

/// <summary>What an IP packet carries (IANA, Assigned Internet Protocol Numbers).</summary>
public enum IpProtocol : byte
{
    HopByHop = 0,
    Icmp = 1,
    Igmp = 2,
    Tcp = 6,
    Udp = 17,
    Routing = 43,
    Fragment = 44,
    Icmp6 = 58,
    None = 59,
    DestinationOptions = 60,
}
