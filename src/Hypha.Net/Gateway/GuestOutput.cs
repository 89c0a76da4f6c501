using Hypha.Net.Capture;
using Hypha.Net.Ip;
using Hypha.Net.Link;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>Packets to one guest, from whomever: Ethernet and IP headers, and its link.</summary>
/// <param name="pace">How much of them there may be; null is as much as the link carries.</param>
public sealed partial class GuestOutput(ILink link, MacAddress gateway, Pace? pace = null) : ITcpSender
{
    /// <summary>Up to here a frame is no bulk: acknowledgments, questions, most answers of a few words.</summary>
    public const int SmallFrame = 256; // bytes

    private const int TcpChecksumOffset = 16, UdpChecksumOffset = 6; // of the field in the header

    private readonly byte[] _headers = new byte[EthernetFrame.HeaderSize + Ipv6Packet.HeaderSize + TcpSegment.HeaderSize + TcpOptions.MaximumSize];
    private readonly byte[] _frame = GC.AllocateUninitializedArray<byte>(EthernetFrame.HeaderSize + 65_536, pinned: true);
    private ushort _identification;

    /// <summary>Where the guest is; group addresses until it has shown itself.</summary>
    public MacAddress Guest { get; set; } = MacAddress.Broadcast;

    public int Mtu => link.Mtu;

    /// <summary>Who looks at the guest's frames, both ways; null for nobody.</summary>
    internal FrameCapture? Capture { get; set; }

    public ref readonly OutputCounters Counters => ref _counters;

    private OutputCounters _counters;

    /// <summary>Frames that were more than there may be and are lost; TCP's wait.</summary>
    public ulong Limited { get; private set; }

    /// <summary>The longest payload of an IP packet that goes in one frame, in bytes.</summary>
    public int LargestPayload(bool v4) => link.Mtu - (v4 ? Ipv4Packet.HeaderSize : Ipv6Packet.HeaderSize);

    /// <summary>Room to put a packet's payload together; until the next packet.</summary>
    public Span<byte> Scratch(int length) => _frame.AsSpan(0, length);

    /// <summary>Sends a TCP segment of <see cref="FlowKey.Remote"/>; a long one is cut on its way, by whoever has to.</summary>
    /// <returns>False when the link has no room just now.</returns>
    public bool TrySendTcp(in FlowKey key, SequenceNumber sequence, SequenceNumber acknowledgment, TcpFlags flags, ushort window, ReadOnlySpan<byte> options,
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, int segmentSize)
    {
        int tcp = TcpSegment.HeaderSize + options.Length;
        int payload = first.Length + second.Length;
        bool v4 = key.Guest.IsV4;
        int ip = v4 ? Ipv4Packet.HeaderSize : Ipv6Packet.HeaderSize;
        Span<byte> headers = _headers.AsSpan(0, EthernetFrame.HeaderSize + ip + tcp);
        WriteHeaders(headers, IpProtocol.Tcp, key.Remote, key.Guest, tcp + payload);
        Span<byte> segment = headers[(EthernetFrame.HeaderSize + ip)..];
        options.CopyTo(segment[TcpSegment.HeaderSize..]);
        TcpSegment.WriteHeader(segment, key.RemotePort, key.GuestPort, sequence, acknowledgment, flags, window);

        Checksum sum = Checksum.OfPseudoHeader(key.Remote, key.Guest, IpProtocol.Tcp, tcp + payload);
        VirtioNetHeader offload = default;
        if (link.Segments)
        {
            TcpSegment.WriteChecksum(segment, sum.Partial);
            bool cut = payload > segmentSize;
            offload = new VirtioNetHeader(NeedsChecksum: true, DataValid: false,
                cut ? v4 ? Segmentation.TcpV4 : Segmentation.TcpV6 : Segmentation.None,
                cut ? (ushort)headers.Length : (ushort)0, cut ? (ushort)segmentSize : (ushort)0,
                (ushort)(EthernetFrame.HeaderSize + ip), TcpChecksumOffset);
        }
        else
        {
            // In one piece: a sum goes on only after an even number of bytes.
            first.CopyTo(_frame);
            second.CopyTo(_frame.AsSpan(first.Length));
            first = _frame.AsSpan(0, payload);
            second = default;
            TcpSegment.WriteChecksum(segment, sum.Add(segment).Add(first).Value);
        }
        // What is too much waits: its sender asks again (TcpEndpoint.RoomAgain).
        if (pace is not null && !pace.MayPass(headers.Length + payload, bulk: payload > 0))
            return false;
        return TrySend(offload, headers, first, second, paced: true);
    }

    /// <summary>Sends a datagram from an address that the gateway speaks for.</summary>
    /// <returns>False when there was no room for it: it is lost, as UDP may be.</returns>
    public bool TrySendUdp(IpAddress source, ushort sourcePort, IpAddress destination, ushort destinationPort, ReadOnlySpan<byte> payload)
    {
        Span<byte> datagram = Scratch(UdpDatagram.HeaderSize + payload.Length);
        payload.CopyTo(datagram[UdpDatagram.HeaderSize..]);
        UdpDatagram.WriteHeader(datagram, source, destination, sourcePort, destinationPort);
        return TrySendIp(IpProtocol.Udp, source, destination, datagram);
    }

    /// <summary>
    /// Passes on somebody's datagram to the guest. Its checksum is left to the link where that can be: the guest's own kernel takes it. Not for
    /// clients that read frames themselves, as those of DHCP do: they find it wrong.
    /// </summary>
    /// <returns>False when there was no room for it.</returns>
    public bool TryPassUdp(IpAddress source, ushort sourcePort, IpAddress destination, ushort destinationPort, ReadOnlySpan<byte> payload)
    {
        bool v4 = destination.IsV4;
        int length = UdpDatagram.HeaderSize + payload.Length;
        if (!link.Segments || length > LargestPayload(v4))
            return TrySendUdp(source, sourcePort, destination, destinationPort, payload);
        int transport = EthernetFrame.HeaderSize + (v4 ? Ipv4Packet.HeaderSize : Ipv6Packet.HeaderSize);
        Span<byte> headers = _headers.AsSpan(0, transport + UdpDatagram.HeaderSize);
        WriteHeaders(headers, IpProtocol.Udp, source, destination, length);
        UdpDatagram.WriteHeaderOfPart(headers[transport..], source, destination, sourcePort, destinationPort, payload.Length);
        return TrySend(new VirtioNetHeader(NeedsChecksum: true, DataValid: false, Segmentation.None, 0, 0, (ushort)transport, UdpChecksumOffset), headers, payload, default);
    }

    /// <summary>Sends an IP packet; in fragments when it does not fit into one frame.</summary>
    /// <param name="payload">With its own header and checksum.</param>
    public bool TrySendIp(IpProtocol protocol, IpAddress source, IpAddress destination, ReadOnlySpan<byte> payload, byte hopLimit = 64)
    {
        bool v4 = destination.IsV4;
        if (payload.Length > LargestPayload(v4))
            return v4 ? TrySendFragmentsV4(protocol, source, destination, payload, hopLimit) : TrySendFragmentsV6(protocol, source, destination, payload, hopLimit);
        int ip = v4 ? Ipv4Packet.HeaderSize : Ipv6Packet.HeaderSize;
        Span<byte> headers = _headers.AsSpan(0, EthernetFrame.HeaderSize + ip);
        WriteHeaders(headers, protocol, source, destination, payload.Length, hopLimit);
        return TrySend(default, headers, payload, default);
    }

    /// <summary>Sends a whole IP packet, as it is.</summary>
    public bool TrySendPacket(ReadOnlySpan<byte> packet)
    {
        Span<byte> headers = _headers.AsSpan(0, EthernetFrame.HeaderSize);
        bool v4 = packet[0] >> 4 == 4;
        EthernetFrame.Write(headers, MacOf(v4 ? IpAddress.ReadV4(packet[16..]) : IpAddress.ReadV6(packet[24..])), gateway, v4 ? EtherType.Ipv4 : EtherType.Ipv6);
        return TrySend(default, headers, packet, default);
    }

    public bool TrySendArp(in ArpPacket packet)
    {
        Span<byte> frame = _frame.AsSpan(0, EthernetFrame.HeaderSize + ArpPacket.Size);
        EthernetFrame.Write(frame, packet.TargetMac.IsZero ? MacAddress.Broadcast : packet.TargetMac, gateway, EtherType.Arp);
        packet.Write(frame[EthernetFrame.HeaderSize..]);
        return TrySend(default, frame, default, default);
    }

    /// <summary>Passes on a frame of another member of the network, as it is.</summary>
    public bool TryForward(in VirtioNetHeader offload, ReadOnlySpan<byte> frame)
    {
        bool paced = pace is not null && frame.Length > SmallFrame;
        if (paced && !pace!.MayPass(frame.Length, bulk: true))
        {
            Limited++;
            return false;
        }
        return TrySend(offload, frame[..EthernetFrame.HeaderSize], frame[EthernetFrame.HeaderSize..], default, paced);
    }

    /// <summary>Ethernet's and IP's.</summary>
    /// <param name="length">Of what follows, in bytes.</param>
    private void WriteHeaders(Span<byte> headers, IpProtocol protocol, IpAddress source, IpAddress destination, int length, byte hopLimit = 64)
    {
        bool v4 = destination.IsV4;
        EthernetFrame.Write(headers, MacOf(destination), gateway, v4 ? EtherType.Ipv4 : EtherType.Ipv6);
        if (v4)
            Ipv4Packet.Write(headers[EthernetFrame.HeaderSize..], source, destination, protocol, Ipv4Packet.HeaderSize + length, hopLimit, identification: _identification++);
        else
            Ipv6Packet.Write(headers[EthernetFrame.HeaderSize..], source, destination, protocol, length, hopLimit);
    }

    private MacAddress MacOf(IpAddress destination) =>
        destination.IsMulticast ? MacAddress.OfGroup(destination) : destination.IsBroadcast ? MacAddress.Broadcast : Guest;

    /// <param name="paced">That there may be so much was asked already.</param>
    private bool TrySend(in VirtioNetHeader offload, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, bool paced = false)
    {
        if (pace is not null && !paced && !pace.MayPass(headers.Length + first.Length + second.Length, bulk: false))
        {
            Limited++;
            return false;
        }
        if (!link.TrySend(offload, headers, first, second))
        {
            _counters.Full++;
            return false;
        }
        Capture?.Take(FrameDirection.Outbound, headers, first, second);
        _counters.Frames++;
        _counters.Bytes += (ulong)(headers.Length + first.Length + second.Length);
        return true;
    }
}
