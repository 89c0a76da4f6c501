using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class MldMessageTests
{
    private static readonly IpAddress s_self = Address("fe80::75:aff:fe4b:2"), s_routers = Address("ff02::2"), s_listeners = Address("ff02::16"), s_group = Address("ff05::1234");

    // As Linux sends them for ff05::1234: a leave by MLDv2, report and done of MLDv1; and the join.
    private static readonly byte[] s_leave = Bytes("8f 00 5512 0000 0001 03 00 0000 ff050000000000000000000000001234"), s_join = Bytes("8f 00 5412 0000 0001 04 00 0000 ff050000000000000000000000001234"),
        s_report1 = Bytes("83 00 51f6 0000 0000 ff050000000000000000000000001234"), s_done1 = Bytes("84 00 632b 0000 0000 ff050000000000000000000000001234");

    private static readonly byte[] s_two = Bytes("""
        8f 00 0000 0000 0002  06 01 0001 ff020000000000000000000000000101 fd750000000000000000000000000003 aabbccdd
        02 00 0000 ff0200000000000000000000000000fb
        """);

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => Parse(bytes, s_listeners, out _, check: false);

    private static WireFault Parse(ReadOnlySpan<byte> bytes, IpAddress destination, out MldMessage message, bool check = true, byte hopLimit = 1)
    {
        message = default;
        return IcmpMessage.TryParse(bytes, s_self, destination, out IcmpMessage icmp, check) is var fault and not WireFault.None ? fault
            : MldMessage.TryParse(icmp, hopLimit, out message);
    }

    [Fact]
    public void Reports_and_dones_are_read()
    {
        foreach (var (bytes, type, joins) in new[] { (s_join, GroupRecordType.ToExclude, true), (s_leave, GroupRecordType.ToInclude, false) })
        {
            Assert.Equal(WireFault.None, Parse(bytes, s_listeners, out MldMessage message));
            Assert.Equal(Icmp6Type.MulticastReportV2, message.Type);
            GroupRecords records = message.Records;
            Assert.True(records.MoveNext());
            Assert.Equal((type, 0, s_group, joins, !joins), (records.Current.Type, records.Current.SourceCount, records.Current.Group, records.Current.IsJoin, records.Current.IsLeave));
            Assert.False(records.MoveNext());
        }
        foreach (var (bytes, to, type) in new[] { (s_report1, s_group, Icmp6Type.MulticastReport), (s_done1, s_routers, Icmp6Type.MulticastDone) })
        {
            Assert.Equal(WireFault.None, Parse(bytes, to, out MldMessage message));
            Assert.Equal((type, s_group), (message.Type, message.Group));
            Assert.False(message.Records.MoveNext());
        }
    }

    [Fact]
    public void Records_are_read_past_sources_and_auxiliary_data()
    {
        Assert.Equal(WireFault.None, Parse([.. s_two, 1, 2, 3], s_listeners, out MldMessage message, check: false));
        List<(IpAddress, bool)> read = [];
        foreach (GroupRecord record in message.Records)
            read.Add((record.Group, record.IsJoin));
        Assert.Equal([(Address("ff02::101"), false), (Address("ff02::fb"), true)], read);
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        foreach (byte[] whole in new[] { s_join, s_report1, s_two })
        {
            IsRefusedAtEveryShorterLength(whole, Parse);
            NeverThrows(whole, Walk);
        }
    }

    [Fact]
    public void What_came_over_a_router_is_refused()
    {
        foreach (byte hopLimit in (byte[])[0, 2, 64, 255])
            Assert.Equal(WireFault.Version, Parse(s_join, s_listeners, out _, check: false, hopLimit));
    }

    [Theory]
    [InlineData(0, 133, WireFault.Version)]
    [InlineData(7, 2, WireFault.Truncated)]
    [InlineData(6, 255, WireFault.Truncated)]
    [InlineData(9, 1, WireFault.Truncated)]
    [InlineData(11, 1, WireFault.Truncated)]
    [InlineData(12, 0xFD, WireFault.Address)] // no group
    public void A_field_out_of_range_is_refused(int at, byte value, WireFault expected) => Assert.Equal(expected, Parse(s_join.With(at, value)));

    [Fact]
    public void An_IPv4_group_in_IPv6_is_refused()
    {
        // By it a guest would be in the IPv4 group.
        byte[] group = Bytes("00000000000000000000ffffe00000fb");
        Assert.Equal(WireFault.Address, Parse([.. s_join[..12], .. group]));
        Assert.Equal(WireFault.Address, Parse([.. s_report1[..8], .. group]));
    }

    [Fact]
    public void A_query_is_written_and_read()
    {
        byte[] bytes = new byte[MldMessage.QuerySize];
        bytes.AsSpan().Fill(0xEE);
        IpAddress all = Address("ff02::1");
        MldMessage.WriteQuery(bytes, s_self, all, response: 10_000, robustness: 2, interval: 125);
        Assert.Equal(Bytes($"82 00 {bytes[2]:x2}{bytes[3]:x2} 2710 0000 00000000000000000000000000000000 02 7d 0000"), bytes);
        Assert.Equal(WireFault.None, Parse(bytes, all, out MldMessage query)); // the checksum
        Assert.Equal((Icmp6Type.MulticastQuery, true, (ushort)10_000, 2, (byte)125), (query.Type, query.IsV2Query, query.MaximumResponse, query.Robustness, query.Interval));
        Assert.True(query.Group.IsUnspecified);
        // MLDv1's has 24 bytes; RFC 3810 8.1: one of 25 to 27 is none.
        Assert.Equal(WireFault.None, Parse(bytes[..24], all, out query, check: false));
        Assert.False(query.IsV2Query);
        for (int length = 25; length < 28; length++)
            Assert.Equal(WireFault.Length, Parse(bytes[..length]));
        Assert.Equal(WireFault.Truncated, Parse(bytes.With(27, 1)));
        Assert.Equal(WireFault.Address, Parse(bytes.With(8, 0xFD)));
    }

    private static WireFault Walk(ReadOnlySpan<byte> bytes)
    {
        WireFault fault = Parse(bytes, s_listeners, out MldMessage message, check: false);
        if (fault == WireFault.None)
        {
            foreach (GroupRecord record in message.Records)
                Assert.True(record.Group.IsMulticast && !record.Group.IsV4);
        }
        return fault;
    }
}
