using Hypha.Net.Wire;

namespace Hypha.Net.Link.Netif;

/// <summary>
/// Finds where a frame's checksum belongs and how long its headers are: netif says only that the one is missing and that the frame is to be cut,
/// virtio's header says where.
/// </summary>
internal static class FrameOffload
{
    private const ushort TcpChecksum = 16, UdpChecksum = 6; // offsets in their headers

    /// <param name="segmentSize">0: the frame is not to be cut.</param>
    /// <returns>False when the frame is not of a kind for which that can be left out; nothing of it is to be believed then.</returns>
    public static bool TryFind(ReadOnlySpan<byte> frame, bool blank, bool validated, Segmentation segmentation, ushort segmentSize, out VirtioNetHeader offload)
    {
        offload = new VirtioNetHeader(false, DataValid: validated && !blank, Segmentation.None, 0, 0, 0, 0);
        if (!blank && segmentation == Segmentation.None)
            return true;
        if (EthernetFrame.TryParse(frame, out EthernetFrame ethernet) != WireFault.None
            || !TryFindTransport(ethernet, out IpProtocol protocol, out ReadOnlySpan<byte> transport, out int start))
            return false;
        bool tcp = protocol == IpProtocol.Tcp && transport.Length >= TcpSegment.HeaderSize;
        if (!tcp && (protocol != IpProtocol.Udp || transport.Length < UdpDatagram.HeaderSize))
            return false;
        if (segmentation != Segmentation.None && (!tcp || segmentSize == 0 || (segmentation == Segmentation.TcpV4) != (ethernet.Type == EtherType.Ipv4)))
            return false;
        int headers = segmentation == Segmentation.None ? 0 : start + ((transport[12] >> 4) * 4);
        if (headers > frame.Length)
            return false;
        offload = new VirtioNetHeader(NeedsChecksum: true, DataValid: false, segmentation, (ushort)headers, segmentation == Segmentation.None ? (ushort)0 : segmentSize,
            (ushort)start, tcp ? TcpChecksum : UdpChecksum);
        return true;
    }

    /// <param name="start">Where in the frame the transport's header is.</param>
    private static bool TryFindTransport(in EthernetFrame ethernet, out IpProtocol protocol, out ReadOnlySpan<byte> transport, out int start)
    {
        switch (ethernet.Type)
        {
            case EtherType.Ipv4 when Ipv4Packet.TryParse(ethernet.Payload, out Ipv4Packet packet) == WireFault.None && !packet.IsFragment:
                protocol = packet.Protocol;
                transport = packet.Payload;
                start = EthernetFrame.HeaderSize + packet.HeaderLength;
                return true;
            case EtherType.Ipv6 when Ipv6Packet.TryParse(ethernet.Payload, out Ipv6Packet packet, out _) == WireFault.None && !packet.IsFragment:
                protocol = packet.Protocol;
                transport = packet.Payload;
                start = EthernetFrame.HeaderSize + packet.Bytes.Length - packet.Payload.Length;
                return true;
            default:
                protocol = default;
                transport = default;
                start = 0;
                return false;
        }
    }
}
