using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>
/// What a router tells its link (RFC 4861 4.2): that it is one, the prefix with addresses to choose freely in it (4.6.2), the MTU
/// (4.6.4), and where names are looked up (RFC 8106 5.1). The O flag says that DHCPv6 has the rest (RFC 8415 18.2.6).
/// </summary>
/// <param name="Prefix">Of 64 bits, or nobody makes addresses of it.</param>
/// <param name="Lifetime">Of all that it says, in seconds.</param>
public readonly record struct RouterAdvertisement(MacAddress Router, Subnet Prefix, int Mtu, IpAddress Resolver, ushort Lifetime)
{
    public const int Size = 16 + 8 + 32 + 8 + 24; // bytes: header, then the options as written

    private const byte OtherConfiguration = 0x40;
    private const byte OnLink = 0x80, Autonomous = 0x40;

    /// <param name="to">At least <see cref="Size"/>.</param>
    /// <param name="source">The router's link-local address; hop limit 255 is the packet's.</param>
    public void Write(Span<byte> to, IpAddress source, IpAddress destination)
    {
        to = to[..Size];
        to.Clear();
        WriteUInt16BigEndian(to[6..], Lifetime);
        // Reachable time and retransmission timer (8..16) stay 0: not specified.

        Span<byte> option = to[16..];
        option[0] = 1; // source link-layer address
        option[1] = 1;
        Router.Write(option[2..]);

        option = to[24..];
        option[0] = 3; // prefix information
        option[1] = 4;
        option[2] = (byte)Prefix.Length;
        option[3] = OnLink | Autonomous;
        WriteUInt32BigEndian(option[4..], Lifetime);
        WriteUInt32BigEndian(option[8..], Lifetime);
        Prefix.Network.Write(option[16..]);

        option = to[56..];
        option[0] = 5; // MTU
        option[1] = 1;
        WriteUInt32BigEndian(option[4..], (uint)Mtu);

        option = to[64..];
        option[0] = 25; // recursive DNS server
        option[1] = 3;
        WriteUInt32BigEndian(option[4..], Lifetime);
        Resolver.Write(option[8..]);

        IcmpMessage.WriteHeader(to, source, destination, (byte)Icmp6Type.RouterAdvertisement, 0,
            64u << 24 | (uint)OtherConfiguration << 16 | Lifetime); // hop limit, flags, lifetime
    }
}
