using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>RFC 2132 9.6.</summary>
public enum DhcpType : byte
{
    None = 0,
    Discover = 1,
    Offer = 2,
    Request = 3,
    Decline = 4,
    Ack = 5,
    Nak = 6,
    Release = 7,
    Inform = 8,
}

/// <summary>A client's DHCPv4 message (RFC 2131 2): the parts that a server with one address for it needs.</summary>
public readonly record struct DhcpMessage
{
    public const int HeaderSize = 240; // bytes, the cookie included
    public const int MaximumReply = 548; // bytes, RFC 2131 2: what every client takes

    private const uint Cookie = 0x63825363;
    private const byte BootRequest = 1, BootReply = 2;

    public DhcpType Type { get; private init; }
    public uint Transaction { get; private init; }

    /// <summary>The answer goes to all, since the client cannot take it otherwise yet.</summary>
    public bool WantsBroadcast { get; private init; }

    /// <summary>What the client uses already; unspecified when nothing.</summary>
    public IpAddress ClientAddress { get; private init; }

    public MacAddress Client { get; private init; }

    /// <summary>Option 50.</summary>
    public IpAddress? Requested { get; private init; }

    /// <summary>Option 54: the server whose offer is taken.</summary>
    public IpAddress? Server { get; private init; }

    public static WireFault TryParse(ReadOnlySpan<byte> bytes, out DhcpMessage message)
    {
        message = default;
        if (bytes.Length < HeaderSize)
            return WireFault.Truncated;
        if (bytes[0] != BootRequest || bytes[1] != 1 || bytes[2] != MacAddress.Size || ReadUInt32BigEndian(bytes[236..]) != Cookie)
            return WireFault.Version;
        DhcpType type = default;
        IpAddress? requested = null, server = null;
        for (ReadOnlySpan<byte> rest = bytes[HeaderSize..]; rest.Length > 0 && rest[0] != 255;)
        {
            if (rest[0] == 0)
            {
                rest = rest[1..];
                continue;
            }
            if (rest.Length < 2 || rest.Length < 2 + rest[1])
                return WireFault.Options;
            ReadOnlySpan<byte> value = rest.Slice(2, rest[1]);
            switch (rest[0])
            {
                case 53 when value.Length == 1:
                    type = (DhcpType)value[0];
                    break;
                case 50 when value.Length == 4:
                    requested = IpAddress.ReadV4(value);
                    break;
                case 54 when value.Length == 4:
                    server = IpAddress.ReadV4(value);
                    break;
            }
            rest = rest[(2 + value.Length)..];
        }
        message = new DhcpMessage
        {
            Type = type,
            Transaction = ReadUInt32BigEndian(bytes[4..]),
            WantsBroadcast = (bytes[10] & 0x80) != 0,
            ClientAddress = IpAddress.ReadV4(bytes[12..]),
            Client = MacAddress.Read(bytes[28..]),
            Requested = requested,
            Server = server,
        };
        return type == DhcpType.None ? WireFault.Options : WireFault.None;
    }

    /// <summary>Writes an answer.</summary>
    /// <param name="to">At least <see cref="MaximumReply"/>.</param>
    /// <param name="lease">Null for a NAK.</param>
    /// <param name="server">Us; gateway and resolver as well.</param>
    /// <returns>How many bytes.</returns>
    public int WriteReply(Span<byte> to, DhcpType type, Subnet? lease, IpAddress server, int mtu, uint leaseSeconds, ReadOnlySpan<byte> hostName)
    {
        to = to[..MaximumReply];
        to.Clear();
        to[0] = BootReply;
        to[1] = 1;
        to[2] = MacAddress.Size;
        WriteUInt32BigEndian(to[4..], Transaction);
        if (WantsBroadcast)
            to[10] = 0x80;
        if (type == DhcpType.Ack)
            ClientAddress.Write(to[12..]);
        if (lease is { } mine && Type != DhcpType.Inform)
            mine.Address.Write(to[16..]);
        Client.Write(to[28..]);
        WriteUInt32BigEndian(to[236..], Cookie);
        int at = HeaderSize;
        Option(to, ref at, 53, [(byte)type]);
        Address(to, ref at, 54, server);
        if (lease is { } given)
        {
            if (Type != DhcpType.Inform)
                Number(to, ref at, 51, leaseSeconds);
            uint mask = given.Length == 0 ? 0 : uint.MaxValue << (32 - given.Length);
            Number(to, ref at, 1, mask);
            Address(to, ref at, 3, server);
            Address(to, ref at, 6, server);
            Option(to, ref at, 26, [(byte)(mtu >> 8), (byte)mtu]);
            if (hostName.Length is > 0 and <= 64)
                Option(to, ref at, 12, hostName);
        }
        to[at++] = 255;
        return Math.Max(at, 300); // BOOTP's least; some relays and clients drop less
    }

    private static void Address(Span<byte> to, ref int at, byte code, IpAddress value) => Number(to, ref at, code, value.V4);

    private static void Number(Span<byte> to, ref int at, byte code, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        WriteUInt32BigEndian(bytes, value);
        Option(to, ref at, code, bytes);
    }

    private static void Option(Span<byte> to, ref int at, byte code, ReadOnlySpan<byte> value)
    {
        to[at] = code;
        to[at + 1] = (byte)value.Length;
        value.CopyTo(to[(at + 2)..]);
        at += 2 + value.Length;
    }
}
