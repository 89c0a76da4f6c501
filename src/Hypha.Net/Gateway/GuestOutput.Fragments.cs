using System.Buffers.Binary;
using System.Security.Cryptography;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>Packets that do not fit into one frame (RFC 791 3.2, RFC 8200 4.5).</summary>
public sealed partial class GuestOutput
{
    // RFC 7739: nobody shall guess the next one.
    private uint _fragmentIdentification = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4));

    private bool TrySendFragmentsV4(IpProtocol protocol, IpAddress source, IpAddress destination, ReadOnlySpan<byte> payload, byte hopLimit)
    {
        ushort identification = (ushort)NextIdentification();
        int most = LargestPayload(v4: true) & ~7;
        Span<byte> headers = _headers.AsSpan(0, EthernetFrame.HeaderSize + Ipv4Packet.HeaderSize);
        EthernetFrame.Write(headers, Guest, gateway, EtherType.Ipv4);
        for (int offset = 0; offset < payload.Length; offset += most)
        {
            ReadOnlySpan<byte> part = payload.Slice(offset, Math.Min(most, payload.Length - offset));
            Span<byte> header = headers[EthernetFrame.HeaderSize..];
            Ipv4Packet.WriteFragment(header, source, destination, protocol, part.Length, hopLimit, identification, offset, more: offset + part.Length < payload.Length);
            if (!TrySend(default, headers, part, default))
                return false;
        }
        return true;
    }

    private bool TrySendFragmentsV6(IpProtocol protocol, IpAddress source, IpAddress destination, ReadOnlySpan<byte> payload, byte hopLimit)
    {
        uint identification = NextIdentification();
        int most = (LargestPayload(v4: false) - Ipv6Packet.FragmentHeaderSize) & ~7;
        Span<byte> headers = _headers.AsSpan(0, EthernetFrame.HeaderSize + Ipv6Packet.HeaderSize + Ipv6Packet.FragmentHeaderSize);
        EthernetFrame.Write(headers, Guest, gateway, EtherType.Ipv6);
        for (int offset = 0; offset < payload.Length; offset += most)
        {
            ReadOnlySpan<byte> part = payload.Slice(offset, Math.Min(most, payload.Length - offset));
            Ipv6Packet.Write(headers[EthernetFrame.HeaderSize..], source, destination, IpProtocol.Fragment, Ipv6Packet.FragmentHeaderSize + part.Length, hopLimit);
            Span<byte> fragment = headers[(EthernetFrame.HeaderSize + Ipv6Packet.HeaderSize)..];
            fragment[0] = (byte)protocol;
            fragment[1] = 0;
            BinaryPrimitives.WriteUInt16BigEndian(fragment[2..], (ushort)(offset | (offset + part.Length < payload.Length ? 1 : 0)));
            BinaryPrimitives.WriteUInt32BigEndian(fragment[4..], identification);
            if (!TrySend(default, headers, part, default))
                return false;
        }
        return true;
    }

    private uint NextIdentification() => _fragmentIdentification += 1 + (uint)RandomNumberGenerator.GetInt32(0x1000);
}
