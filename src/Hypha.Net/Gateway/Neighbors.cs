using Hypha.Net.Loop;
using Hypha.Net.Switch;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>What came of a packet that was answered here.</summary>
internal enum Answer
{
    Given,
    Malformed,
    Spoofed,
    Ignored,
}

/// <summary>
/// Who has which MAC: ARP (RFC 826) and neighbour discovery (RFC 4861). The gateway answers for itself and for the other members of the
/// network, with what it knows of them; what guests claim is not passed on.
/// </summary>
internal sealed class Neighbors(EventLoop loop, GuestConfiguration configuration, GuestOutput output, NetworkSwitch? network) : Loop.Timer
{
    /// <summary>RFC 4861 6.2.1, MaxRtrAdvInterval: in what a guest hears, its addresses and its route last three times that.</summary>
    private const long Interval = 600 * MonotonicClock.Second;

    private readonly IpAddress _linkLocal = IpAddress.LinkLocalOf(configuration.GatewayMac);
    private readonly byte[] _message = new byte[Math.Max(NeighborMessage.Size, RouterAdvertisement.Size)];

    /// <summary>Says where the gateway is (RFC 5227 2.3, RFC 4861 7.2.6): a guest that asked before anybody listened would ask again a second later.</summary>
    public void Announce()
    {
        if (configuration.GatewayV4 is { } v4)
            output.TrySendArp(new ArpPacket(ArpOperation.Request, configuration.GatewayMac, v4, default, v4));
        if (configuration.GatewayV6 is not { } v6)
            return;
        foreach (IpAddress address in (ReadOnlySpan<IpAddress>)[v6, _linkLocal])
        {
            new NeighborMessage(IsSolicitation: false, address, null).Write(_message, address, AllNodes, configuration.GatewayMac, solicited: false);
            output.TrySendIp(IpProtocol.Icmp6, address, AllNodes, _message.AsSpan(0, NeighborMessage.Size), hopLimit: 255);
        }
        Expire(loop.Now);
    }

    /// <summary>RFC 4861 6.2.4: a guest asks once, when its link comes up; what it was told then would end.</summary>
    protected internal override void Expire(long now)
    {
        Advertise(AllNodes);
        loop.Timers.Set(this, now + Interval);
    }

    public void Close() => loop.Timers.Clear(this);

    public Answer ReceiveArp(ReadOnlySpan<byte> bytes, MacAddress guest)
    {
        if (ArpPacket.TryParse(bytes, out ArpPacket arp) != WireFault.None)
            return Answer.Malformed;
        // RFC 5227: a probe has no sender yet.
        if (arp.SenderMac != guest || (!arp.Sender.IsUnspecified && !configuration.Owns(arp.Sender, guest)))
            return Answer.Spoofed;
        if (arp.Operation != ArpOperation.Request || MacOf(arp.Target, guest) is not { } mac)
            return Answer.Ignored;
        output.TrySendArp(new ArpPacket(ArpOperation.Reply, mac, arp.Target, guest, arp.Sender));
        return Answer.Given;
    }

    /// <summary>Neighbour and router discovery; other ICMPv6 is not for here.</summary>
    public static bool IsDiscovery(ReadOnlySpan<byte> icmp) =>
        icmp.Length > 0 && (Icmp6Type)icmp[0] is >= Icmp6Type.RouterSolicitation and <= Icmp6Type.Redirect;

    public static bool IsDiscovery(in EthernetFrame frame) => frame.Type == EtherType.Arp
        || (frame.Type == EtherType.Ipv6 && Ipv6Packet.TryParse(frame.Payload, out Ipv6Packet packet, out _) == WireFault.None && packet.Protocol == IpProtocol.Icmp6 && IsDiscovery(packet.Payload));

    public Answer ReceiveIcmp6(in Ipv6Packet packet, MacAddress guest, bool check)
    {
        if (IcmpMessage.TryParse(packet.Payload, packet.Source, packet.Destination, out IcmpMessage message, check) != WireFault.None || packet.HopLimit != 255)
            return Answer.Malformed;
        // RFC 4862 5.4: who checks whether an address is free has none yet.
        if (!packet.Source.IsUnspecified && !configuration.Owns(packet.Source, guest))
            return Answer.Spoofed;
        switch ((Icmp6Type)message.Type)
        {
            case Icmp6Type.NeighborSolicitation:
                return Solicited(packet, message, guest);
            case Icmp6Type.NeighborAdvertisement:
                // A guest may say where it is; saying that it is the gateway is what poisoning looks like.
                return NeighborMessage.TryParse(message, packet.HopLimit, out NeighborMessage claim) != WireFault.None ? Answer.Malformed
                    : configuration.Owns(claim.Target, guest) ? Answer.Ignored : Answer.Spoofed;
            case Icmp6Type.RouterSolicitation:
                Advertise(packet.Source.IsUnspecified ? AllNodes : packet.Source);
                return Answer.Given;
            default:
                return Answer.Spoofed; // a router or redirect it is not
        }
    }

    internal static readonly IpAddress AllNodes = new(0xFF02_0000_0000_0000, 1);

    private Answer Solicited(in Ipv6Packet packet, in IcmpMessage message, MacAddress guest)
    {
        if (NeighborMessage.TryParse(message, packet.HopLimit, out NeighborMessage asked) != WireFault.None)
            return Answer.Malformed;
        if (asked.LinkAddress is { } claimed && claimed != guest)
            return Answer.Spoofed;
        if (MacOf(asked.Target, guest) is not { } mac)
            return Answer.Ignored;
        // RFC 4861 7.2.4: an address that is being checked is defended before all.
        bool solicited = !packet.Source.IsUnspecified;
        IpAddress to = solicited ? packet.Source : AllNodes;
        new NeighborMessage(IsSolicitation: false, asked.Target, null).Write(_message, asked.Target, to, mac, solicited);
        output.TrySendIp(IpProtocol.Icmp6, asked.Target, to, _message.AsSpan(0, NeighborMessage.Size), hopLimit: 255);
        return Answer.Given;
    }

    /// <summary>Null for an address that is nobody's, or the asking guest's own.</summary>
    private MacAddress? MacOf(IpAddress address, MacAddress guest) =>
        address == configuration.GatewayV4 || address == configuration.GatewayV6 || address == _linkLocal ? configuration.GatewayMac
        : network is not null && network.TryFind(address, out Attachment? member) && member.Configuration.Mac != guest ? member.Configuration.Mac
        : null;

    private void Advertise(IpAddress to)
    {
        if (configuration.V6 is not { } subnet || configuration.GatewayV6 is not { } gateway)
            return;
        new RouterAdvertisement(configuration.GatewayMac, subnet, output.Mtu, gateway, Lifetime: 1_800).Write(_message, _linkLocal, to);
        output.TrySendIp(IpProtocol.Icmp6, _linkLocal, to, _message.AsSpan(0, RouterAdvertisement.Size), hopLimit: 255);
    }
}
