using System.Buffers.Binary;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Gateway;

/// <summary>A guest's frames, put together part by part, with right lengths and checksums.</summary>
internal static class Frames
{
    public static IpAddress Address(string text) => IpAddress.TryParse(text, out IpAddress address) ? address : throw new FormatException(text);

    public static byte[] Bytes(MacAddress mac)
    {
        byte[] bytes = new byte[MacAddress.Size];
        mac.Write(bytes);
        return bytes;
    }

    public static byte[] Bytes(IpAddress address)
    {
        byte[] bytes = new byte[address.Size];
        address.Write(bytes);
        return bytes;
    }

    public static byte[] Ethernet(MacAddress to, MacAddress from, EtherType type, byte[] payload)
    {
        byte[] frame = [.. new byte[EthernetFrame.HeaderSize], .. payload];
        EthernetFrame.Write(frame, to, from, type);
        return frame;
    }

    /// <summary>A frame with an IP packet, of the family of its addresses.</summary>
    public static byte[] Ip(MacAddress to, MacAddress from, byte[] packet) => Ethernet(to, from, packet[0] >> 4 == 4 ? EtherType.Ipv4 : EtherType.Ipv6, packet);

    public static byte[] Packet(string source, string destination, IpProtocol protocol, byte[] payload, byte hopLimit = 64)
    {
        IpAddress from = Address(source), to = Address(destination);
        byte[] packet = [.. new byte[from.IsV4 ? Ipv4Packet.HeaderSize : Ipv6Packet.HeaderSize], .. payload];
        if (from.IsV4)
            Ipv4Packet.Write(packet, from, to, protocol, packet.Length, hopLimit);
        else
            Ipv6Packet.Write(packet, from, to, protocol, payload.Length, hopLimit);
        return packet;
    }

    /// <summary>A fragment; <paramref name="protocol"/> is what its own header says comes first in the whole.</summary>
    public static byte[] Fragment(string source, string destination, IpProtocol protocol, byte[] part, int offset, bool more, uint identification = 1)
    {
        IpAddress from = Address(source), to = Address(destination);
        if (from.IsV4)
        {
            byte[] packet = [.. new byte[Ipv4Packet.HeaderSize], .. part];
            Ipv4Packet.WriteFragment(packet, from, to, protocol, part.Length, 64, (ushort)identification, offset, more);
            return packet;
        }
        byte[] header = new byte[Ipv6Packet.FragmentHeaderSize];
        header[0] = (byte)protocol;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(offset | (more ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), identification);
        return Packet(source, destination, IpProtocol.Fragment, [.. header, .. part]);
    }

    public static byte[] Udp(string source, string destination, ushort sourcePort, ushort port, params byte[] payload)
    {
        byte[] datagram = [.. new byte[UdpDatagram.HeaderSize], .. payload];
        UdpDatagram.WriteHeader(datagram, Address(source), Address(destination), sourcePort, port);
        return datagram;
    }

    public static byte[] Segment(string source, string destination, ushort sourcePort, ushort port, uint sequence, uint acknowledgment, TcpFlags flags, byte[]? options = null, byte[]? payload = null)
    {
        int header = TcpSegment.HeaderSize + (options?.Length ?? 0);
        byte[] segment = [.. new byte[TcpSegment.HeaderSize], .. options ?? [], .. payload ?? []];
        TcpSegment.WriteHeader(segment.AsSpan(0, header), sourcePort, port, new(sequence), new(acknowledgment), flags, 64_000);
        TcpSegment.WriteChecksum(segment, Checksum.OfPseudoHeader(Address(source), Address(destination), IpProtocol.Tcp, segment.Length).Add(segment).Value);
        return segment;
    }

    public static byte[] Icmp(string source, string destination, byte type, uint parameter, params byte[] body)
    {
        byte[] message = [.. new byte[IcmpMessage.HeaderSize], .. body];
        IcmpMessage.WriteHeader(message, Address(source), Address(destination), type, 0, parameter);
        return message;
    }

    public static byte[] Arp(MacAddress from, string sender, string target)
    {
        byte[] packet = new byte[ArpPacket.Size];
        new ArpPacket(ArpOperation.Request, from, Address(sender), default, Address(target)).Write(packet);
        return Ethernet(MacAddress.Broadcast, from, EtherType.Arp, packet);
    }
}
