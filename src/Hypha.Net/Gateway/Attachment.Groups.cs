using Hypha.Net.Ip;
using Hypha.Net.Switch;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>A guest's frames to groups: to the other members of its network that joined, or to the gateway's own services, and to nobody else.</summary>
public sealed partial class Attachment
{
    // Of one frame as many are made as the group has members, and one report can name many groups: so many in a second, frames counted as a wire would.
    private const int CopiesPerSecond = 20_000, CopiesAtOnce = 4_000, WireFrame = 1_500, ShortestRecord = 8;

    private readonly GroupMember? _groups;
    private TokenBucket _copies = new(CopiesPerSecond, CopiesAtOnce);

    /// <returns>False for what the gateway's services look at.</returns>
    private bool ReceiveGroup(in VirtioNetHeader offload, in EthernetFrame ethernet, ReadOnlySpan<byte> frame, long now)
    {
        switch (ethernet.Type)
        {
            case EtherType.Ipv4 when Ipv4Packet.TryParse(ethernet.Payload, out Ipv4Packet packet) == WireFault.None && IsTo(ethernet.Destination, packet.Destination):
                if (!packet.Destination.IsMulticast)
                    return false;
                if (packet.Protocol == IpProtocol.Igmp)
                    ReceiveIgmp(packet, !offload.IsVouchedFor, now);
                else
                    ForwardToGroup(offload, packet.Protocol, packet.Source, packet.Destination, packet.Payload, packet.FragmentOffset, frame, now);
                return true;
            case EtherType.Ipv6 when Ipv6Packet.TryParse(ethernet.Payload, out Ipv6Packet packet, out _) == WireFault.None && IsTo(ethernet.Destination, packet.Destination):
                bool whole = !packet.IsFragment;
                if (!packet.Destination.IsMulticast || (whole && packet.Protocol == IpProtocol.Icmp6 && Neighbors.IsDiscovery(packet.Payload)))
                    return false;
                if (whole && packet.Protocol == IpProtocol.Icmp6 && MldMessage.Is(packet.Payload))
                    ReceiveMld(packet, !offload.IsVouchedFor, now);
                else if (MulticastGroups.IsForMembers(packet.Destination))
                    ForwardToGroup(offload, packet.Protocol, packet.Source, packet.Destination, packet.Payload, whole ? 0 : packet.FragmentOffset, frame, now);
                else
                    return false;
                return true;
            case EtherType.Ipv4 or EtherType.Ipv6:
                _counters.Malformed++;
                return true;
            default:
                return false;
        }
    }

    /// <summary>A group has one MAC (RFC 1112 6.4, RFC 2464 7); to all at once goes what is to no group.</summary>
    private static bool IsTo(MacAddress mac, IpAddress destination) => mac == (destination.IsMulticast ? MacAddress.OfGroup(destination) : MacAddress.Broadcast);

    private void ForwardToGroup(in VirtioNetHeader offload, IpProtocol protocol, IpAddress source, IpAddress group, ReadOnlySpan<byte> payload, int offset, ReadOnlySpan<byte> frame, long now)
    {
        if (!IsHonest(protocol, source, payload, offset))
            return;
        int count = 0;
        Membership? first = _network is not null && MulticastGroups.IsForMembers(group) ? _network.Groups.Find(group, out count) : null;
        // RFC 9293 3.10.7 knows no groups, RFC 1122 4.2.3.10 forbids them.
        if (first is null || protocol == IpProtocol.Tcp)
        {
            _counters.Ignored++;
            return;
        }
        ushort port = offset == 0 ? PortOf(protocol, payload) : (ushort)0;
        if (offset == 0 && !_gate.MayReachGroup(protocol, group, port))
        {
            _gate.Deny(protocol, source, group, port, now);
            return;
        }
        if (!MayCost(count * (1L + frame.Length / WireFrame), now))
            return;
        for (Membership? at = first; at is not null; at = at.Next)
        {
            if (at.Member != this && at.Expires > now && MayReach(at.Member, protocol, source, group, payload, offset == 0, reachable: true, now))
                Pass(at.Member, offload, frame);
        }
    }

    /// <summary>Whether the guest may have so much work done for groups.</summary>
    private bool MayCost(long copies, long now)
    {
        if (_copies.TryOwe(copies, credit: 0, now))
            return true;
        _counters.GroupFramesOverLimit++;
        return false;
    }

    private void ReceiveIgmp(in Ipv4Packet packet, bool check, long now)
    {
        if (!MayCost(packet.Payload.Length / ShortestRecord, now))
            return;
        // RFC 3376 4.2.13: who has no address yet says 0.0.0.0.
        if (!packet.Source.IsUnspecified && !_configuration.Owns(packet.Source, _guest))
        {
            _counters.Spoofed++;
            return;
        }
        if (packet.IsFragment || IgmpMessage.TryParse(packet.Payload, out IgmpMessage message, check) != WireFault.None)
        {
            _counters.Malformed++;
            return;
        }
        switch (message.Type)
        {
            case IgmpType.Query: // a router it is not
                _counters.Spoofed++;
                break;
            case IgmpType.ReportV3:
                Report(message.Records, now);
                break;
            default:
                Report(message.Group, joins: message.Type != IgmpType.Leave, now);
                break;
        }
    }

    private void ReceiveMld(in Ipv6Packet packet, bool check, long now)
    {
        if (!MayCost(packet.Payload.Length / ShortestRecord, now))
            return;
        // RFC 3590 4: who has no address yet says ::, for switches to know.
        if (!packet.Source.IsUnspecified && !(packet.Source.IsLinkLocal && Owns(packet.Source)))
        {
            _counters.Spoofed++;
            return;
        }
        if (IcmpMessage.TryParse(packet.Payload, packet.Source, packet.Destination, out IcmpMessage icmp, check) != WireFault.None
            || MldMessage.TryParse(icmp, packet.HopLimit, out MldMessage message) != WireFault.None)
        {
            _counters.Malformed++;
            return;
        }
        switch (message.Type)
        {
            case Icmp6Type.MulticastQuery:
                _counters.Spoofed++;
                break;
            case Icmp6Type.MulticastReportV2:
                Report(message.Records, now);
                break;
            default:
                Report(message.Group, joins: message.Type == Icmp6Type.MulticastReport, now);
                break;
        }
    }

    private void Report(GroupRecords records, long now)
    {
        foreach (GroupRecord record in records)
        {
            if (record.IsJoin || record.IsLeave)
                Report(record.Group, record.IsJoin, now);
        }
    }

    private void Report(IpAddress group, bool joins, long now)
    {
        if (!joins)
            _groups?.Leave(group);
        else if (_groups is not null && !_groups.TryJoin(group, now))
            _counters.GroupsOverLimit++;
    }
}
