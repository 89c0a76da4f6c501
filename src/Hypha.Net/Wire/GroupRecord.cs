using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.Net.Wire;

/// <summary>What a record says of a group's sources (RFC 3376 4.2.12, RFC 3810 5.2.12).</summary>
public enum GroupRecordType : byte
{
    IsInclude = 1,
    IsExclude = 2,
    ToInclude = 3,
    ToExclude = 4,
    AllowNewSources = 5,
    BlockOldSources = 6,
}

/// <summary>A group record of a report (RFC 3376 4.2.4 to 4.2.10; RFC 3810 5.2.5 to 5.2.11: the same with longer addresses).</summary>
public readonly ref struct GroupRecord
{
    private const int GroupAt = 4;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _addressSize;

    internal GroupRecord(ReadOnlySpan<byte> bytes, int addressSize)
    {
        _bytes = bytes;
        _addressSize = addressSize;
    }

    public GroupRecordType Type => (GroupRecordType)_bytes[0];                  // 0
    public int SourceCount => ReadUInt16BigEndian(_bytes[2..]);                 // 2..4
    public IpAddress Group => Read(_bytes[GroupAt..], _addressSize);            // 4..8 or 4..20; then the sources, and auxiliary data

    /// <summary>An empty list of sources to hear: nobody is heard any more (RFC 3376 4.2.12, 5.1).</summary>
    public bool IsLeave => Type is GroupRecordType.IsInclude or GroupRecordType.ToInclude && SourceCount == 0;

    /// <summary>Somebody is heard. One that blocks sources changes nothing of that, and types that nobody knows are ignored (RFC 3376 4.2.12).</summary>
    public bool IsJoin => !IsLeave && Type is >= GroupRecordType.IsInclude and <= GroupRecordType.AllowNewSources;

    /// <summary>How long the record is that begins here; 0 when its end is not here.</summary>
    internal static int LengthOf(ReadOnlySpan<byte> bytes, int addressSize)
    {
        if (bytes.Length < GroupAt + addressSize)
            return 0;
        int length = GroupAt + addressSize + ReadUInt16BigEndian(bytes[2..]) * addressSize + bytes[1] * 4; // 1: auxiliary data, in words
        return length <= bytes.Length ? length : 0;
    }

    internal static IpAddress Read(ReadOnlySpan<byte> bytes, int addressSize) => addressSize == IpAddress.V4Size ? IpAddress.ReadV4(bytes) : IpAddress.ReadV6(bytes);

    /// <summary>A group, and of the family: an IPv4 group in IPv6's clothes is none.</summary>
    internal static bool IsGroup(IpAddress group, int addressSize) => group.IsMulticast && group.Size == addressSize;
}

/// <summary>The records of a report, one after the other.</summary>
public ref struct GroupRecords
{
    private readonly int _addressSize;
    private ReadOnlySpan<byte> _rest;
    private int _left;

    /// <param name="bytes">Have been checked.</param>
    internal GroupRecords(ReadOnlySpan<byte> bytes, int count, int addressSize)
    {
        _rest = bytes;
        _left = count;
        _addressSize = addressSize;
    }

    public GroupRecord Current { get; private set; }

    public readonly GroupRecords GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_left == 0)
            return false;
        _left--;
        int length = GroupRecord.LengthOf(_rest, _addressSize);
        Current = new GroupRecord(_rest[..length], _addressSize);
        _rest = _rest[length..];
        return true;
    }

    /// <summary>Whether so many records lie here. What follows them is nobody's (RFC 3376 4.2.11).</summary>
    internal static WireFault Check(ReadOnlySpan<byte> bytes, int count, int addressSize)
    {
        for (; count > 0; count--)
        {
            int length = GroupRecord.LengthOf(bytes, addressSize);
            if (length == 0)
                return WireFault.Truncated;
            if (!GroupRecord.IsGroup(new GroupRecord(bytes, addressSize).Group, addressSize))
                return WireFault.Address;
            bytes = bytes[length..];
        }
        return WireFault.None;
    }
}
