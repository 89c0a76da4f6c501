using System.Buffers.Binary;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Fuzz;

/// <summary>Puts lengths and checksums of a changed frame right again: so that what is wrong with it is seen by more than the first check.</summary>
internal static class Repair
{
    public static void Frame(byte[] frame, bool lengths)
    {
        if (frame.Length < EthernetFrame.HeaderSize)
            return;
        Span<byte> packet = frame.AsSpan(EthernetFrame.HeaderSize);
        switch ((EtherType)BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12)))
        {
            case EtherType.Ipv4 when packet.Length >= Ipv4Packet.HeaderSize:
                int header = (packet[0] & 0xF) * 4;
                if (lengths)
                    BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)packet.Length);
                int total = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
                if (header < Ipv4Packet.HeaderSize || total < header || total > packet.Length)
                    return;
                BinaryPrimitives.WriteUInt16BigEndian(packet[10..], 0);
                BinaryPrimitives.WriteUInt16BigEndian(packet[10..], Checksum.Of(packet[..header]));
                if (((packet[6] & 0x3F) | packet[7]) == 0)
                    Transport(packet[header..total], (IpProtocol)packet[9], IpAddress.ReadV4(packet[12..]), IpAddress.ReadV4(packet[16..]), lengths);
                break;
            case EtherType.Ipv6 when packet.Length >= Ipv6Packet.HeaderSize:
                if (lengths)
                    BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)(packet.Length - Ipv6Packet.HeaderSize));
                if (Ipv6Packet.TryParse(packet, out Ipv6Packet parsed, out int at) == WireFault.None && !parsed.IsFragment)
                    Transport(packet[at..parsed.Bytes.Length], parsed.Protocol, parsed.Source, parsed.Destination, lengths);
                break;
        }
    }

    private static void Transport(Span<byte> bytes, IpProtocol protocol, IpAddress source, IpAddress destination, bool lengths)
    {
        int field = protocol switch { IpProtocol.Tcp => 16, IpProtocol.Udp => 6, IpProtocol.Icmp or IpProtocol.Icmp6 => 2, _ => int.MaxValue };
        if (field > bytes.Length - 2)
            return;
        if (protocol == IpProtocol.Udp)
        {
            if (lengths)
                BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], (ushort)bytes.Length);
            bytes = bytes[..Math.Min(bytes.Length, Math.Max(8, (int)BinaryPrimitives.ReadUInt16BigEndian(bytes[4..])))];
        }
        BinaryPrimitives.WriteUInt16BigEndian(bytes[field..], 0);
        Checksum sum = protocol == IpProtocol.Icmp ? default : Checksum.OfPseudoHeader(source, destination, protocol, bytes.Length);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[field..], sum.Add(bytes).Value);
    }
}
