using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

public enum ArpOperation : ushort
{
    Request = 1,
    Reply = 2,
}

/// <summary>Address resolution for IPv4 over Ethernet (RFC 826).</summary>
public readonly record struct ArpPacket(ArpOperation Operation, MacAddress SenderMac, IpAddress Sender, MacAddress TargetMac, IpAddress Target)
{
    public const int Size = 28; // bytes

    private const ushort Ethernet = 1;

    public static WireFault TryParse(ReadOnlySpan<byte> bytes, out ArpPacket packet)
    {
        packet = default;
        if (bytes.Length < Size)
            return WireFault.Truncated;
        var operation = (ArpOperation)ReadUInt16BigEndian(bytes[6..]);
        if (ReadUInt16BigEndian(bytes) != Ethernet || ReadUInt16BigEndian(bytes[2..]) != (ushort)EtherType.Ipv4
            || bytes[4] != MacAddress.Size || bytes[5] != IpAddress.V4Size || operation is not (ArpOperation.Request or ArpOperation.Reply))
        {
            return WireFault.Version;
        }
        packet = new ArpPacket(operation, MacAddress.Read(bytes[8..]), IpAddress.ReadV4(bytes[14..]), MacAddress.Read(bytes[18..]), IpAddress.ReadV4(bytes[24..]));
        return WireFault.None;
    }

    public void Write(Span<byte> to)
    {
        WriteUInt16BigEndian(to, Ethernet);
        WriteUInt16BigEndian(to[2..], (ushort)EtherType.Ipv4);
        to[4] = MacAddress.Size;
        to[5] = IpAddress.V4Size;
        WriteUInt16BigEndian(to[6..], (ushort)Operation);
        SenderMac.Write(to[8..]);
        Sender.Write(to[14..]);
        TargetMac.Write(to[18..]);
        Target.Write(to[24..]);
    }
}
