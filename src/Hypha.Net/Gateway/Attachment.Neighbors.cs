using Hypha.Net.Dhcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>A guest's frames to another member of its network.</summary>
public sealed partial class Attachment
{
    /// <summary>Passes a frame on as it is, once it is clear that it says who sent it.</summary>
    private void Forward(Attachment member, in VirtioNetHeader offload, in EthernetFrame ethernet, ReadOnlySpan<byte> frame)
    {
        if (!IsForwardable(ethernet))
            return;
        if (member._link.TrySend(offload, frame[..EthernetFrame.HeaderSize], frame[EthernetFrame.HeaderSize..]))
            _counters.Forwarded++;
        else
            _counters.ForwardFailures++;
    }

    private bool IsForwardable(in EthernetFrame ethernet)
    {
        IpProtocol protocol;
        IpAddress source;
        ReadOnlySpan<byte> payload;
        bool first;
        switch (ethernet.Type)
        {
            case EtherType.Ipv4 when Ipv4Packet.TryParse(ethernet.Payload, out Ipv4Packet packet) == WireFault.None:
                (protocol, source, first) = (packet.Protocol, packet.Source, packet.FragmentOffset == 0);
                payload = packet.Payload;
                break;
            case EtherType.Ipv6 when Ipv6Packet.TryParse(ethernet.Payload, out Ipv6Packet packet, out _) == WireFault.None:
                (protocol, source, first) = (packet.Protocol, packet.Source, !packet.IsFragment || packet.FragmentOffset == 0);
                payload = packet.Payload;
                break;
            default:
                _counters.Malformed++;
                return false;
        }
        // A server of addresses among the guests would lead the others astray, and so would a router.
        bool server = protocol == IpProtocol.Udp && first && payload.Length >= 2 && (ushort)(payload[0] << 8 | payload[1]) is DhcpServer.Port or Dhcp6Server.Port;
        bool router = protocol == IpProtocol.Icmp6 && first && Neighbors.IsDiscovery(payload);
        if (_configuration.Owns(source, _guest) && !server && !router)
            return true;
        _counters.Spoofed++;
        return false;
    }
}
