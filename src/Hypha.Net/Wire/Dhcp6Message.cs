using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>A DHCPv6 information request (RFC 8415 8, 18.2.6), the one message that stateless DHCP has.</summary>
/// <param name="Transaction">24 bits.</param>
public readonly record struct Dhcp6Message(uint Transaction)
{
    public const int MaximumReply = 256; // bytes
    public const int MaximumIdentifier = 130; // bytes, RFC 8415 11.1: a DUID

    private const byte InformationRequest = 11, Reply = 7;
    private const ushort ClientIdentifier = 1, ServerIdentifier = 2, Resolvers = 23;

    /// <param name="client">The client's DUID, to be sent back; empty when it gave none.</param>
    /// <param name="server">Our DUID; a request for another server is not for us.</param>
    public static WireFault TryParse(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> server, out Dhcp6Message message, out ReadOnlySpan<byte> client)
    {
        message = default;
        client = default;
        if (bytes.Length < 4)
            return WireFault.Truncated;
        if (bytes[0] != InformationRequest)
            return WireFault.Version;
        for (ReadOnlySpan<byte> rest = bytes[4..]; rest.Length > 0;)
        {
            if (rest.Length < 4 || rest.Length - 4 < ReadUInt16BigEndian(rest[2..]))
                return WireFault.Options;
            ReadOnlySpan<byte> value = rest.Slice(4, ReadUInt16BigEndian(rest[2..]));
            switch (ReadUInt16BigEndian(rest))
            {
                case ClientIdentifier when value.Length <= MaximumIdentifier:
                    client = value;
                    break;
                case ClientIdentifier:
                    return WireFault.Options;
                case ServerIdentifier when !value.SequenceEqual(server):
                    return WireFault.Address;
            }
            rest = rest[(4 + value.Length)..];
        }
        message = new Dhcp6Message(ReadUInt32BigEndian(bytes) & 0xFF_FFFF);
        return WireFault.None;
    }

    /// <param name="to">At least <see cref="MaximumReply"/>.</param>
    /// <returns>How many bytes.</returns>
    public int WriteReply(Span<byte> to, ReadOnlySpan<byte> client, ReadOnlySpan<byte> server, IpAddress resolver)
    {
        WriteUInt32BigEndian(to, (uint)Reply << 24 | Transaction);
        int at = 4;
        if (client.Length > 0)
            Option(to, ref at, ClientIdentifier, client);
        Option(to, ref at, ServerIdentifier, server);
        Span<byte> address = stackalloc byte[IpAddress.V6Size];
        resolver.Write(address);
        Option(to, ref at, Resolvers, address);
        return at;
    }

    private static void Option(Span<byte> to, ref int at, ushort code, ReadOnlySpan<byte> value)
    {
        WriteUInt16BigEndian(to[at..], code);
        WriteUInt16BigEndian(to[(at + 2)..], (ushort)value.Length);
        value.CopyTo(to[(at + 4)..]);
        at += 4 + value.Length;
    }
}
