using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class IgmpMessageTests
{
    // As Linux sends them for 239.1.2.3: joins and leaves by IGMPv3; report and leave of IGMPv2.
    private static readonly byte[] s_join = Bytes("22 00 e8f9 0000 0001 04 00 0000 ef010203"), s_leave = Bytes("22 00 e9f9 0000 0001 03 00 0000 ef010203"),
        s_report2 = Bytes("16 00 f8fa ef010203"), s_leave2 = Bytes("17 00 f7fa ef010203");

    // Of three groups: one with two sources, one with auxiliary data, one that is left; and something behind them.
    private static readonly byte[] s_three = Bytes("22 00 0000 0000 0003  05 00 0002 e8010101 c0000201 c0000202  02 02 0000 e00000fb aabbccdd eeff0011  01 00 0000 ef010203");

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => IgmpMessage.TryParse(bytes, out _, checkSum: false);

    [Fact]
    public void Reports_and_leaves_are_read()
    {
        foreach (var (bytes, type, joins) in new[] { (s_join, GroupRecordType.ToExclude, true), (s_leave, GroupRecordType.ToInclude, false) })
        {
            Assert.Equal(WireFault.None, IgmpMessage.TryParse(bytes, out IgmpMessage message));
            Assert.Equal(IgmpType.ReportV3, message.Type);
            GroupRecords records = message.Records;
            Assert.True(records.MoveNext());
            Assert.Equal((type, 0, Address("239.1.2.3"), joins, !joins), (records.Current.Type, records.Current.SourceCount, records.Current.Group, records.Current.IsJoin, records.Current.IsLeave));
            Assert.False(records.MoveNext());
        }
        foreach (var (bytes, type) in new[] { (s_report2, IgmpType.ReportV2), (s_leave2, IgmpType.Leave) })
        {
            Assert.Equal(WireFault.None, IgmpMessage.TryParse(bytes, out IgmpMessage message));
            Assert.Equal((type, Address("239.1.2.3")), (message.Type, message.Group));
            Assert.False(message.Records.MoveNext());
        }
    }

    [Fact]
    public void Records_are_read_past_sources_and_auxiliary_data()
    {
        Assert.Equal(WireFault.None, IgmpMessage.TryParse([.. s_three, 1, 2, 3], out IgmpMessage message, checkSum: false));
        List<(IpAddress, bool)> read = [];
        foreach (GroupRecord record in message.Records)
            read.Add((record.Group, record.IsJoin));
        Assert.Equal([(Address("232.1.1.1"), true), (Address("224.0.0.251"), true), (Address("239.1.2.3"), false)], read);
    }

    [Theory]
    [InlineData(1, 0, false, true)]
    [InlineData(1, 1, true, false)]
    [InlineData(2, 0, true, false)]
    [InlineData(2, 1, true, false)]
    [InlineData(3, 0, false, true)]
    [InlineData(3, 1, true, false)]
    [InlineData(4, 0, true, false)]
    [InlineData(5, 1, true, false)]
    [InlineData(6, 1, false, false)] // who blocks a source is where it was
    [InlineData(0, 0, false, false)]
    [InlineData(7, 0, false, false)] // RFC 3376 4.2.12: ignored
    public void A_record_is_a_join_a_leave_or_neither(byte type, byte sources, bool joins, bool leaves)
    {
        byte[] bytes = [.. s_join.With(8, type).With(11, sources), .. new byte[4 * sources]];
        Assert.Equal(WireFault.None, IgmpMessage.TryParse(bytes, out IgmpMessage message, checkSum: false));
        GroupRecords records = message.Records;
        Assert.True(records.MoveNext());
        Assert.Equal((joins, leaves), (records.Current.IsJoin, records.Current.IsLeave));
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        foreach (byte[] whole in new[] { s_join, s_report2, s_leave2, s_three })
        {
            IsRefusedAtEveryShorterLength(whole, Parse);
            NeverThrows(whole, Walk);
        }
    }

    [Theory]
    [InlineData(2, 0, WireFault.Checksum, true)]
    [InlineData(0, 0x23, WireFault.Version, false)]
    [InlineData(7, 2, WireFault.Truncated, false)]      // one more record than there are
    [InlineData(6, 255, WireFault.Truncated, false)]
    [InlineData(9, 1, WireFault.Truncated, false)]      // auxiliary data
    [InlineData(11, 1, WireFault.Truncated, false)]     // a source
    [InlineData(12, 10, WireFault.Address, false)]      // 10.1.2.3 is no group
    public void A_field_out_of_range_is_refused(int at, byte value, WireFault expected, bool check) =>
        Assert.Equal(expected, IgmpMessage.TryParse(s_join.With(at, value), out _, check));

    [Fact]
    public void A_query_is_written_and_read()
    {
        byte[] bytes = new byte[IgmpMessage.QuerySize];
        bytes.AsSpan().Fill(0xEE);
        IgmpMessage.WriteQuery(bytes, response: 100, robustness: 2, interval: 125);
        Assert.Equal(Bytes("11 64 ec1e 00000000 02 7d 0000"), bytes);
        Assert.Equal(WireFault.None, IgmpMessage.TryParse(bytes, out IgmpMessage query));
        Assert.Equal((IgmpType.Query, true, (byte)100, 2, (byte)125), (query.Type, query.IsV3Query, query.MaximumResponse, query.Robustness, query.Interval));
        Assert.True(query.Group.IsUnspecified);
        // IGMPv2's has 8 bytes; RFC 3376 7.1: one of 9 to 11 is none.
        Assert.Equal(WireFault.None, IgmpMessage.TryParse(bytes[..8], out query, checkSum: false));
        Assert.False(query.IsV3Query);
        for (int length = 9; length < 12; length++)
            Assert.Equal(WireFault.Length, Parse(bytes[..length]));
        Assert.Equal(WireFault.Truncated, Parse(bytes.With(11, 1)));
        Assert.Equal(WireFault.Address, Parse(bytes.With(4, 10)));
    }

    private static WireFault Walk(ReadOnlySpan<byte> bytes)
    {
        WireFault fault = IgmpMessage.TryParse(bytes, out IgmpMessage message, checkSum: false);
        if (fault == WireFault.None)
        {
            foreach (GroupRecord record in message.Records)
                Assert.True(record.Group.IsMulticast && record.Group.IsV4);
        }
        return fault;
    }
}
