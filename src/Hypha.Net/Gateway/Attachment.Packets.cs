using Hypha.Net.Dhcp;
using Hypha.Net.Dns;
using Hypha.Net.Ip;
using Hypha.Net.Loop;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>A guest's packets, to whom they are for.</summary>
public sealed partial class Attachment : ITurn
{
    private bool _queued;

    public void Turn(long now)
    {
        _queued = false;
        ReceiveFrames(now);
    }

    /// <summary>Receives so many frames as one turn allows; the rest waits for the next.</summary>
    private void ReceiveFrames(long now)
    {
        var share = _loop.Shares.Begin(ref _sockets.Seen, now);
        for (int left = FramesPerTurn; left > 0 && !share.IsOver; left -= FramesAtOnce)
        {
            if (_link.Receive(this, FramesAtOnce, now) < FramesAtOnce)
                return;
        }
        _queued = true;
        _loop.AtTurnEnd(this);
    }

    private void ReceiveV4(ReadOnlySpan<byte> bytes, in VirtioNetHeader offload, long now)
    {
        if (Ipv4Packet.TryParse(bytes, out Ipv4Packet packet) != WireFault.None)
        {
            _counters.Malformed++;
            return;
        }
        if (IsDhcp(packet))
        {
            ReceiveDhcp(packet, !offload.IsVouchedFor);
            return;
        }
        if (!_configuration.Owns(packet.Source, _guest))
        {
            _counters.Spoofed++;
            return;
        }
        if (packet.IsFragment)
        {
            if (_reassembly.TryAdd(packet, now, out ReadOnlySpan<byte> whole))
                ReceiveV4(whole, default, now);
            return;
        }
        Deliver(packet.Bytes, packet.Protocol, packet.Source, packet.Destination, packet.TimeToLive, packet.DontFragment, packet.Payload, offload, now);
    }

    private void ReceiveV6(ReadOnlySpan<byte> bytes, in VirtioNetHeader offload, long now, bool reassembled = false)
    {
        if (Ipv6Packet.TryParse(bytes, out Ipv6Packet packet, out _) != WireFault.None)
        {
            _counters.Malformed++;
            return;
        }
        // RFC 6980: discovery in fragments is none.
        if (packet.Protocol == IpProtocol.Icmp6 && Neighbors.IsDiscovery(packet.Payload) && !packet.IsFragment && !reassembled)
        {
            Count(_neighbors.ReceiveIcmp6(packet, _guest, !offload.IsVouchedFor));
            return;
        }
        if (!Owns(packet.Source))
        {
            _counters.Spoofed++;
            return;
        }
        if (packet.Destination.IsMulticast && packet.Protocol == IpProtocol.Udp && !packet.IsFragment)
        {
            ReceiveDhcp6(packet, !offload.IsVouchedFor);
            return;
        }
        // RFC 6946: one that is whole in spite of its fragment header is taken by itself.
        if (packet.IsFragment && (packet.FragmentOffset != 0 || packet.MoreFragments))
        {
            if (_reassembly.TryAdd(packet, now, out ReadOnlySpan<byte> whole))
                ReceiveV6(whole, default, now, reassembled: true);
            return;
        }
        Deliver(packet.Bytes, packet.Protocol, packet.Source, packet.Destination, packet.HopLimit, whole: !reassembled, packet.Payload, offload, now);
    }

    /// <param name="packet">From the IP header on: for errors about it.</param>
    private void Deliver(ReadOnlySpan<byte> packet, IpProtocol protocol, IpAddress source, IpAddress destination, byte hopLimit, bool whole, ReadOnlySpan<byte> payload,
        in VirtioNetHeader offload, long now)
    {
        bool here = _configuration.IsGateway(destination);
        if (!here)
        {
            // To itself, or to a member whom the switch would have found: nobody on the host is meant, whoever has that address there.
            if (_configuration.IsOnNetwork(destination))
            {
                _counters.Ignored++;
                if (destination != source && !_configuration.Owns(destination, _guest))
                    Tell(packet, IcmpProblem.HostUnreachable(source.IsV4), now);
                return;
            }
            // A gateway is a hop (RFC 1812 5.3.1).
            if (hopLimit <= 1)
            {
                Tell(packet, IcmpProblem.HopLimitExceeded(source.IsV4), now);
                return;
            }
            // What comes to the gateway for somebody else leaves the network: members speak to each other by the switch.
            bool allowed = !_configuration.Internal && _gate.MayReach(protocol, destination, PortOf(protocol, payload), now);
            if (!allowed && !IsAnswer(protocol, source, destination, payload))
            {
                _gate.Deny(protocol, source, destination, PortOf(protocol, payload), now);
                Tell(packet, IcmpProblem.Prohibited(source.IsV4), now);
                return;
            }
        }
        switch (protocol)
        {
            case IpProtocol.Tcp:
                DeliverTcp(source, destination, here, payload, !offload.IsVouchedFor, now);
                break;
            case IpProtocol.Udp:
                DeliverUdp(packet, source, destination, here, hopLimit, whole, payload, offload, now);
                break;
            case IpProtocol.Icmp or IpProtocol.Icmp6 when here:
                Count(Echo.Answer(_output, source, destination, payload, !offload.IsVouchedFor));
                break;
            case IpProtocol.Icmp or IpProtocol.Icmp6:
                DeliverEcho(source, destination, hopLimit, whole, payload, !offload.IsVouchedFor, now);
                break;
            default:
                _counters.Unsupported++;
                Tell(packet, IcmpProblem.ProtocolUnreachable(source.IsV4), now);
                break;
        }
    }

    /// <summary>The port that a packet goes to; 0 where there is none.</summary>
    private static ushort PortOf(IpProtocol protocol, ReadOnlySpan<byte> payload) =>
        protocol is IpProtocol.Tcp or IpProtocol.Udp && payload.Length >= 4 ? (ushort)(payload[2] << 8 | payload[3]) : (ushort)0;

    /// <summary>Whether it belongs to what somebody else began, by a published port: rules are for what the guest begins.</summary>
    private bool IsAnswer(IpProtocol protocol, IpAddress source, IpAddress destination, ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 4)
            return false;
        ushort port = (ushort)(payload[0] << 8 | payload[1]), to = (ushort)(payload[2] << 8 | payload[3]);
        return protocol switch
        {
            IpProtocol.Tcp => _tcp.Has(new FlowKey(source, port, destination, to)),
            IpProtocol.Udp => _udp.IsPublished(source, port, destination),
            _ => false,
        };
    }

    private void DeliverTcp(IpAddress source, IpAddress destination, bool here, ReadOnlySpan<byte> payload, bool check, long now)
    {
        if (TcpSegment.TryParse(payload, source, destination, out TcpSegment segment, check) != WireFault.None)
        {
            _counters.Malformed++;
            return;
        }
        var key = new FlowKey(source, segment.SourcePort, destination, segment.DestinationPort);
        // Questions by TCP are not looked into: where names are listed there are none.
        bool dns = segment.DestinationPort == DnsForwarder.Port && !_gate.ListedNames;
        _tcp.Receive(key, segment, !here ? _tcpNat : dns ? _dnsTcp : null, now);
    }

    private void DeliverUdp(ReadOnlySpan<byte> packet, IpAddress source, IpAddress destination, bool here, byte hopLimit, bool whole, ReadOnlySpan<byte> payload,
        in VirtioNetHeader offload, long now)
    {
        if (UdpDatagram.TryParse(payload, source, destination, out UdpDatagram datagram, !offload.IsVouchedFor) != WireFault.None)
        {
            _counters.Malformed++;
            return;
        }
        if (here)
        {
            if (datagram.DestinationPort == DnsForwarder.Port)
                _dns.Receive(source, datagram.SourcePort, destination, datagram.Payload, now);
            else if (!_udp.TryAnswer(source, datagram.SourcePort, datagram.DestinationPort, datagram.Payload, now))
                Tell(packet, IcmpProblem.PortUnreachable(source.IsV4), now);
            return;
        }
        // Many in one (UDP_SEGMENT in the guest): it was to be cut behind us.
        ReadOnlySpan<byte> left = datagram.Payload;
        int size = offload.Segmentation == Segmentation.UdpLayer4 && offload.SegmentSize > 0 ? offload.SegmentSize : left.Length;
        do
        {
            ReadOnlySpan<byte> one = left[..Math.Min(size, left.Length)];
            left = left[one.Length..];
            _udp.Send(source, datagram.SourcePort, destination, datagram.DestinationPort, one, (byte)(hopLimit - 1), whole, now);
        }
        while (left.Length > 0);
    }

    private void DeliverEcho(IpAddress source, IpAddress destination, byte hopLimit, bool whole, ReadOnlySpan<byte> payload, bool check, long now)
    {
        if (IcmpMessage.TryParse(payload, source, destination, out IcmpMessage message, check) != WireFault.None)
        {
            _counters.Malformed++;
            return;
        }
        if (message.Type != (source.IsV4 ? (byte)IcmpType.Echo : (byte)Icmp6Type.Echo) || message.Code != 0)
        {
            _counters.Unsupported++;
            return;
        }
        _echo.Send(source, message.EchoId, destination, 0, payload, (byte)(hopLimit - 1), whole, now);
    }

    /// <summary>To the gateway's DHCP server: a guest that asks for its address has none yet.</summary>
    private bool IsDhcp(in Ipv4Packet packet) =>
        packet.Protocol == IpProtocol.Udp && !packet.IsFragment && packet.Payload.Length >= UdpDatagram.HeaderSize
        && (packet.Destination.IsBroadcast || packet.Destination == _configuration.GatewayV4)
        && (packet.Source.IsUnspecified || _configuration.Owns(packet.Source, _guest))
        && (ushort)(packet.Payload[2] << 8 | packet.Payload[3]) == DhcpServer.Port;

    private void ReceiveDhcp(in Ipv4Packet packet, bool check)
    {
        if (UdpDatagram.TryParse(packet.Payload, packet.Source, packet.Destination, out UdpDatagram datagram, check) != WireFault.None)
            _counters.Malformed++;
        else
            Count(_dhcp.Receive(datagram.Payload, _guest));
    }

    /// <summary>To a group of which the gateway listens to one: all DHCP agents (RFC 8415 7.1).</summary>
    private void ReceiveDhcp6(in Ipv6Packet packet, bool check)
    {
        if (UdpDatagram.TryParse(packet.Payload, packet.Source, packet.Destination, out UdpDatagram datagram, check) != WireFault.None)
            _counters.Malformed++;
        else if (datagram.DestinationPort == Dhcp6Server.Port && packet.Source.IsLinkLocal)
            Count(_dhcp6.Receive(packet.Source, datagram.Payload));
        else
            _counters.Ignored++;
    }
}
