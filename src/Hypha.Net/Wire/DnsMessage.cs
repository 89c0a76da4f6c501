using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>Record types (RFC 1035 3.2.2, RFC 3596, RFC 6891).</summary>
public enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Ptr = 12,
    Aaaa = 28,
    Opt = 41,
    Any = 255,
}

/// <summary>RFC 1035 4.1.1, RCODE.</summary>
public enum DnsStatus : byte
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
}

/// <summary>A DNS message's header (RFC 1035 4.1.1) and its one question.</summary>
public readonly ref struct DnsMessage
{
    public const int HeaderSize = 12; // bytes
    public const int PlainSize = 512; // bytes over UDP without EDNS (RFC 1035 4.2.1)
    public const int MaximumName = 255; // bytes with lengths and root (RFC 1035 3.1)

    private const int MaximumRecords = 64; // in a query; nobody sends more than two
    private const ushort Internet = 1;

    private readonly ReadOnlySpan<byte> _bytes;

    private DnsMessage(ReadOnlySpan<byte> bytes, int questionEnd, int udpSize, bool hasOptions)
    {
        _bytes = bytes;
        QuestionEnd = questionEnd;
        UdpSize = udpSize;
        HasOptions = hasOptions;
    }

    public ushort Id => ReadUInt16BigEndian(_bytes);                            // 0..2
    public bool IsResponse => (_bytes[2] & 0x80) != 0;                          // 2, a bit
    public int Operation => (_bytes[2] >> 3) & 0xF;                             // 2, four bits
    public bool IsTruncated => (_bytes[2] & 2) != 0;                            // 2, a bit
    public bool RecursionDesired => (_bytes[2] & 1) != 0;                       // 2, a bit
    public DnsStatus Status => (DnsStatus)(_bytes[3] & 0xF);                    // 3, four bits
    public DnsType Type => (DnsType)ReadUInt16BigEndian(_bytes[(QuestionEnd - 4)..]);
    public bool IsInternet => ReadUInt16BigEndian(_bytes[(QuestionEnd - 2)..]) == Internet;

    /// <summary>The question as it stands in the message, name, type and class: an answer repeats it byte for byte.</summary>
    public ReadOnlySpan<byte> Question => _bytes[HeaderSize..QuestionEnd];

    public ReadOnlySpan<byte> Bytes => _bytes;

    public int QuestionEnd { get; }

    /// <summary>How much its sender takes over UDP (RFC 6891 6.2.3).</summary>
    public int UdpSize { get; }

    /// <summary>Has an OPT record.</summary>
    public bool HasOptions { get; }

    /// <summary>Reads header, question and, of a query, the OPT record. The rest of a response is its receiver's business.</summary>
    public static WireFault TryParse(ReadOnlySpan<byte> bytes, out DnsMessage message)
    {
        message = default;
        if (bytes.Length < HeaderSize)
            return WireFault.Truncated;
        if (ReadUInt16BigEndian(bytes[4..]) != 1)
            return WireFault.Length;
        int at = HeaderSize;
        if (!SkipName(bytes, ref at, compressed: false) || bytes.Length - at < 4)
            return WireFault.Options;
        at += 4;
        int end = at;
        int udpSize = PlainSize;
        bool hasOptions = false;
        bool response = (bytes[2] & 0x80) != 0;
        int records = ReadUInt16BigEndian(bytes[6..]) + ReadUInt16BigEndian(bytes[8..]) + ReadUInt16BigEndian(bytes[10..]);
        if (!response && records > MaximumRecords)
            return WireFault.TooDeep;
        for (int i = 0; !response && i < records; i++)
        {
            if (!SkipName(bytes, ref at, compressed: true) || bytes.Length - at < 10)
                return WireFault.Options;
            int length = ReadUInt16BigEndian(bytes[(at + 8)..]);
            if ((DnsType)ReadUInt16BigEndian(bytes[at..]) == DnsType.Opt)
            {
                hasOptions = true;
                udpSize = Math.Max(PlainSize, (int)ReadUInt16BigEndian(bytes[(at + 2)..]));
            }
            at += 10;
            if (bytes.Length - at < length)
                return WireFault.Options;
            at += length;
        }
        message = new DnsMessage(bytes, end, udpSize, hasOptions);
        return WireFault.None;
    }

    /// <summary>The name asked for, in small letters (RFC 4343), as lengths and labels, the root's 0 at the end.</summary>
    /// <param name="to">At least <see cref="MaximumName"/>.</param>
    public ReadOnlySpan<byte> CopyName(Span<byte> to)
    {
        ReadOnlySpan<byte> name = _bytes[HeaderSize..(QuestionEnd - 4)];
        // A length is at most 63, below every letter.
        for (int i = 0; i < name.Length; i++)
            to[i] = Small(name[i]);
        return to[..name.Length];
    }

    /// <summary>Whether both have one question: type and class, and the name but for its letters' case.</summary>
    public bool AsksTheSame(in DnsMessage other)
    {
        Span<byte> mine = stackalloc byte[MaximumName], theirs = stackalloc byte[MaximumName];
        return CopyName(mine).SequenceEqual(other.CopyName(theirs)) && Question[^4..].SequenceEqual(other.Question[^4..]);
    }

    /// <summary>Begins an answer: header and question.</summary>
    /// <returns>How many bytes; records follow, their count is <paramref name="answers"/>.</returns>
    public int BeginAnswer(Span<byte> to, DnsStatus status, int answers, bool authoritative, bool truncated = false)
    {
        _bytes[..QuestionEnd].CopyTo(to);
        to[2] = (byte)(0x80 | (_bytes[2] & 0x79) | (authoritative ? 4 : 0) | (truncated ? 2 : 0)); // operation and RD as asked
        to[3] = (byte)(0x80 | (byte)status); // recursion is available
        WriteUInt16BigEndian(to[6..], (ushort)answers);
        WriteUInt16BigEndian(to[8..], 0);
        WriteUInt16BigEndian(to[10..], 0);
        return QuestionEnd;
    }

    /// <summary>Appends a record that belongs to the question's name.</summary>
    public static int AppendRecord(Span<byte> to, int at, DnsType type, uint timeToLive, ReadOnlySpan<byte> data)
    {
        WriteUInt16BigEndian(to[at..], 0xC000 | HeaderSize); // where the question's name is
        WriteUInt16BigEndian(to[(at + 2)..], (ushort)type);
        WriteUInt16BigEndian(to[(at + 4)..], Internet);
        WriteUInt32BigEndian(to[(at + 6)..], timeToLive);
        WriteUInt16BigEndian(to[(at + 10)..], (ushort)data.Length);
        data.CopyTo(to[(at + 12)..]);
        return at + 12 + data.Length;
    }

    internal static byte Small(byte letter) => letter is >= (byte)'A' and <= (byte)'Z' ? (byte)(letter | 0x20) : letter;

    /// <summary>Passes over a name. One that is compressed ends at its pointer, which is not followed: there is nothing to loop in.</summary>
    internal static bool SkipName(ReadOnlySpan<byte> bytes, ref int at, bool compressed)
    {
        int start = at;
        while (at < bytes.Length && at - start < MaximumName)
        {
            int length = bytes[at];
            if (length == 0)
            {
                at++;
                return true;
            }
            if (length >= 0xC0)
            {
                at += 2;
                return compressed && at <= bytes.Length;
            }
            if (length > 63)
                return false;
            at += 1 + length;
        }
        return false;
    }
}
