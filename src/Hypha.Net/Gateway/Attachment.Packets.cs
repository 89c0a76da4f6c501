using Hypha.Linux;
using Hypha.Net.Loop;
using Hypha.Net.Nat;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>A guest's packets, to whom they are for.</summary>
public sealed partial class Attachment : ITurn, IUnreachable
{
    private bool _queued;

    /// <summary>Receives so many frames as one turn allows; the rest waits for the next.</summary>
    public void Turn(long now)
    {
        _queued = false;
        if (_link.Receive(this, FramesPerTurn, now) == FramesPerTurn)
            Queue();
    }

    bool IUnreachable.Tell(in FlowKey key, SequenceNumber sequence, Errno error, long now) => false;

    private void Queue()
    {
        if (_queued)
            return;
        _queued = true;
        _loop.AtTurnEnd(this);
    }

    private void ReceiveV4(ReadOnlySpan<byte> bytes, bool check, long now)
    {
        if (Ipv4Packet.TryParse(bytes, out Ipv4Packet packet) != WireFault.None)
        {
            _counters.Malformed++;
            return;
        }
        if (!_configuration.Owns(packet.Source, _guest))
        {
            _counters.Spoofed++;
            return;
        }
        if (packet.IsFragment)
        {
            _counters.Unsupported++;
            return;
        }
        Deliver(packet.Protocol, packet.Source, packet.Destination, packet.TimeToLive, packet.Payload, check, now);
    }

    private void ReceiveV6(ReadOnlySpan<byte> bytes, bool check, long now)
    {
        if (Ipv6Packet.TryParse(bytes, out Ipv6Packet packet, out _) != WireFault.None)
        {
            _counters.Malformed++;
            return;
        }
        if (packet.Protocol == IpProtocol.Icmp6 && Neighbors.IsDiscovery(packet.Payload))
        {
            Count(_neighbors.ReceiveIcmp6(packet, _guest, check));
            return;
        }
        if (!_configuration.Owns(packet.Source, _guest))
        {
            _counters.Spoofed++;
            return;
        }
        if (packet.IsFragment)
        {
            _counters.Unsupported++;
            return;
        }
        Deliver(packet.Protocol, packet.Source, packet.Destination, packet.HopLimit, packet.Payload, check, now);
    }

    private void Deliver(IpProtocol protocol, IpAddress source, IpAddress destination, byte hopLimit, ReadOnlySpan<byte> payload, bool check, long now)
    {
        switch (protocol)
        {
            case IpProtocol.Tcp:
                DeliverTcp(source, destination, payload, check, now);
                break;
            case IpProtocol.Icmp or IpProtocol.Icmp6:
                if (_configuration.IsGateway(destination))
                    Count(Echo.Answer(_output, source, destination, payload, check));
                else
                    _counters.Unsupported++;
                break;
            default:
                _counters.Unsupported++;
                break;
        }
    }

    private void DeliverTcp(IpAddress source, IpAddress destination, ReadOnlySpan<byte> payload, bool check, long now)
    {
        if (destination.IsMulticast || destination.IsBroadcast || TcpSegment.TryParse(payload, source, destination, out TcpSegment segment, check) != WireFault.None)
        {
            _counters.Malformed++;
            return;
        }
        var key = new FlowKey(source, segment.SourcePort, destination, segment.DestinationPort);
        bool mayOpen = !_configuration.IsGateway(destination) && !destination.IsLoopback && !destination.IsLinkLocal && !destination.IsUnspecified;
        _tcp.Receive(key, segment, mayOpen ? _tcpNat : null, now);
    }
}
