using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>The records of a response's answer section, one after another (RFC 1035 4.1.3).</summary>
public ref struct DnsRecords
{
    private const int MostPointers = 16; // in one name
    private const ushort Internet = 1;

    private readonly ReadOnlySpan<byte> _bytes;
    private int _nameAt, _fieldsAt, _next, _left;

    public DnsRecords(in DnsMessage response)
    {
        _bytes = response.Bytes;
        _next = response.QuestionEnd;
        _left = ReadUInt16BigEndian(_bytes[6..]);
    }

    public readonly DnsType Type => (DnsType)ReadUInt16BigEndian(_bytes[_fieldsAt..]);
    public readonly bool IsInternet => ReadUInt16BigEndian(_bytes[(_fieldsAt + 2)..]) == Internet;
    public readonly uint TimeToLive => ReadUInt32BigEndian(_bytes[(_fieldsAt + 4)..]);
    public readonly ReadOnlySpan<byte> Data => _bytes[(_fieldsAt + 10).._next];

    /// <summary>The address of an A or AAAA record; null for another, or one that is none.</summary>
    public readonly IpAddress? Address => Type switch
    {
        DnsType.A when Data.Length == IpAddress.V4Size => IpAddress.ReadV4(Data),
        // IPv4 in IPv6's clothes is nobody's address: no packet has it.
        DnsType.Aaaa when Data.Length == IpAddress.V6Size && !IpAddress.ReadV6(Data).IsV4 => IpAddress.ReadV6(Data),
        _ => null,
    };

    /// <returns>False after the last, and where the message is not as it says.</returns>
    public bool MoveNext()
    {
        if (_left-- <= 0)
            return false;
        _nameAt = _fieldsAt = _next;
        if (!DnsMessage.SkipName(_bytes, ref _fieldsAt, compressed: true) || _bytes.Length - _fieldsAt < 10)
            return End();
        _next = _fieldsAt + 10 + ReadUInt16BigEndian(_bytes[(_fieldsAt + 8)..]);
        return _next <= _bytes.Length || End();
    }

    /// <summary>Whose record it is, as <see cref="DnsMessage.CopyName"/>.</summary>
    /// <returns>How many bytes; 0 when it is no name.</returns>
    public readonly int CopyName(Span<byte> to) => CopyName(_nameAt, to);

    /// <summary>The name that a CNAME record's data is.</summary>
    public readonly int CopyTarget(Span<byte> to) => CopyName(_fieldsAt + 10, to);

    private bool End()
    {
        _left = 0;
        return false;
    }

    /// <summary>RFC 1035 4.1.4: a name may end in a pointer to an earlier one.</summary>
    private readonly int CopyName(int at, Span<byte> to)
    {
        int length = 0, pointers = 0;
        while (at < _bytes.Length)
        {
            int label = _bytes[at];
            if (label >= 0xC0)
            {
                if (++pointers > MostPointers || at + 1 >= _bytes.Length)
                    return 0;
                at = (label & 0x3F) << 8 | _bytes[at + 1];
                continue;
            }
            if (label > 63 || at + 1 + label > _bytes.Length || length + 1 + label > DnsMessage.MaximumName)
                return 0;
            for (int i = 0; i <= label; i++)
                to[length++] = DnsMessage.Small(_bytes[at + i]);
            if (label == 0)
                return length;
            at += 1 + label;
        }
        return 0;
    }
}
