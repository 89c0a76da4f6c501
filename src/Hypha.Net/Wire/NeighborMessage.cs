using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>A neighbour solicitation or advertisement (RFC 4861 4.3, 4.4): the parts that are used.</summary>
/// <param name="Target">Who is asked for, or answers.</param>
/// <param name="LinkAddress">From the source (solicitation) or target (advertisement) link-layer address option.</param>
public readonly record struct NeighborMessage(bool IsSolicitation, IpAddress Target, MacAddress? LinkAddress)
{
    public const int Size = 32; // bytes: header, target and one link-layer address option, as we write it

    private const byte SourceLinkAddress = 1, TargetLinkAddress = 2;
    private const int OptionsAt = 24;
    private const uint Router = 1u << 31, Solicited = 1u << 30, Override = 1u << 29;

    /// <param name="message">Its checksum was right.</param>
    /// <param name="hopLimit">RFC 4861 7.1: 255, or the packet came from elsewhere.</param>
    public static WireFault TryParse(in IcmpMessage message, byte hopLimit, out NeighborMessage parsed)
    {
        parsed = default;
        var type = (Icmp6Type)message.Type;
        if (type is not (Icmp6Type.NeighborSolicitation or Icmp6Type.NeighborAdvertisement) || message.Code != 0 || hopLimit != 255)
            return WireFault.Version;
        ReadOnlySpan<byte> bytes = message.Bytes;
        if (bytes.Length < OptionsAt)
            return WireFault.Truncated;
        IpAddress target = IpAddress.ReadV6(bytes[8..]);
        // RFC 4861 7.1.1: not of a group. An IPv4 address in IPv6's clothes counts as IPv4 from here on, and is nobody's to ask for.
        if (target.IsMulticast || target.IsV4)
            return WireFault.Address;
        bool solicitation = type == Icmp6Type.NeighborSolicitation;
        MacAddress? link = null;
        for (ReadOnlySpan<byte> rest = bytes[OptionsAt..]; rest.Length > 0;)
        {
            // RFC 4861 4.6: a length of 0 makes the whole packet invalid.
            if (rest.Length < 8 || rest[1] == 0 || rest[1] * 8 > rest.Length)
                return WireFault.Options;
            if (rest[0] == (solicitation ? SourceLinkAddress : TargetLinkAddress) && rest[1] == 1)
                link = MacAddress.Read(rest[2..]);
            rest = rest[(rest[1] * 8)..];
        }
        parsed = new NeighborMessage(solicitation, target, link);
        return WireFault.None;
    }

    /// <summary>Writes the ICMPv6 message with its link-layer address option.</summary>
    /// <param name="to">At least <see cref="Size"/>.</param>
    /// <param name="solicited">An answer to somebody who asked, not to all.</param>
    public void Write(Span<byte> to, IpAddress source, IpAddress destination, MacAddress link, bool solicited)
    {
        to = to[..Size];
        Target.Write(to[8..]);
        to[OptionsAt] = IsSolicitation ? SourceLinkAddress : TargetLinkAddress;
        to[OptionsAt + 1] = 1;
        link.Write(to[(OptionsAt + 2)..]);
        uint flags = IsSolicitation ? 0 : Router | Override | (solicited ? Solicited : 0);
        IcmpMessage.WriteHeader(to, source, destination, (byte)(IsSolicitation ? Icmp6Type.NeighborSolicitation : Icmp6Type.NeighborAdvertisement), 0, flags);
    }
}
