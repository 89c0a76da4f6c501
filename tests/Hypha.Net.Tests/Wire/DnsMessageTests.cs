using CsCheck;
using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class DnsMessageTests
{
    private const string Question = "07 6578616d706c65 04 74657374 00 001c 0001"; // example.test AAAA IN

    // With EDNS: 4,096 bytes are taken.
    private static readonly byte[] s_query = Bytes($"1234 0100 0001 0000 0000 0001 {Question} 00 0029 1000 00000000 0000");

    private static WireFault Parse(ReadOnlySpan<byte> bytes)
    {
        if (DnsMessage.TryParse(bytes, out DnsMessage message) is var fault and not WireFault.None)
            return fault;
        Span<byte> name = stackalloc byte[DnsMessage.MaximumName], answer = stackalloc byte[DnsMessage.HeaderSize + DnsMessage.MaximumName + 4];
        Assert.InRange(message.CopyName(name).Length, 1, DnsMessage.MaximumName);
        message.BeginAnswer(answer, DnsStatus.NoError, 0, authoritative: false);
        _ = (message.Id, message.Type, message.IsInternet, message.Operation, message.UdpSize, message.AsksTheSame(message));
        return WireFault.None;
    }

    [Fact]
    public void A_query_is_read()
    {
        Assert.Equal(WireFault.None, DnsMessage.TryParse(s_query, out DnsMessage query));
        Assert.Equal((0x1234, false, true, DnsType.Aaaa, true, 4_096, true), (query.Id, query.IsResponse, query.RecursionDesired, query.Type, query.IsInternet, query.UdpSize, query.HasOptions));
        Assert.Equal(Bytes(Question), query.Question.ToArray());
        Assert.Equal(Bytes("07 6578616d706c65 04 74657374 00"), query.CopyName(new byte[255]).ToArray());
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        IsRefusedAtEveryShorterLength(s_query, Parse);
        NeverThrows(s_query, Parse);
    }

    [Theory]
    [InlineData("c00c", WireFault.Options)]                     // a pointer to itself
    [InlineData("c000", WireFault.Options)]
    [InlineData("c0ff", WireFault.Options)]                     // forward, past the end
    [InlineData("0161 c00c", WireFault.Options)]                // a label, then back to it: a loop
    [InlineData("40 6161", WireFault.Options)]                  // 64, and the two reserved kinds of label
    [InlineData("80 6161", WireFault.Options)]
    [InlineData("bf 6161", WireFault.Options)]
    [InlineData("3f 6161", WireFault.Options)]                  // 63 in 2
    [InlineData("c0", WireFault.Options)]
    public void A_question_has_a_plain_name(string name, WireFault expected) =>
        Assert.Equal(expected, Parse(Bytes($"1234 0100 0001 0000 0000 0000 {name} 0001 0001")));

    [Theory]
    [InlineData(253, true)]     // letters and dots: 255 bytes with lengths and root
    [InlineData(254, false)]
    [InlineData(255, false)]
    [InlineData(1_000, false)]
    public void A_name_has_at_most_255_bytes(int letters, bool taken)
    {
        var name = new List<byte>();
        for (int left = letters; left > 0;)
        {
            int label = Math.Min(left, 63);
            if (left - label == 1)
                label--; // a dot needs a label behind it
            name.Add((byte)label);
            name.AddRange(Enumerable.Repeat((byte)'a', label));
            left -= label + 1;
        }
        byte[] query = [.. Bytes("1234 0100 0001 0000 0000 0000"), .. name, 0, 0, 1, 0, 1];
        Assert.Equal(taken ? WireFault.None : WireFault.Options, Parse(query));
    }

    [Theory]
    [InlineData("0000", WireFault.Length)]
    [InlineData("0002", WireFault.Length)]
    [InlineData("ffff", WireFault.Length)]
    public void It_asks_one_thing(string questions, WireFault expected) => Assert.Equal(expected, Parse(Bytes($"1234 0100 {questions} 0000 0000 0000 {Question} {Question}")));

    [Theory]
    [InlineData("ffff 0000 0000", WireFault.TooDeep)]
    [InlineData("ffff ffff ffff", WireFault.TooDeep)]
    [InlineData("0000 0000 0041", WireFault.TooDeep)]
    [InlineData("0000 0000 0002", WireFault.Options)]   // says two, brings one
    public void A_query_that_says_more_records_than_it_brings_is_refused(string counts, WireFault expected) =>
        Assert.Equal(expected, Parse(Bytes($"1234 0100 0001 {counts} {Question} 00 0029 1000 00000000 0000")));

    [Theory]
    [InlineData("c00c 0029 1000 00000000 0000", WireFault.None)]    // not followed: there is nothing to loop in
    [InlineData("c0ff 0029 1000 00000000 0000", WireFault.None)]
    [InlineData("00 0029 1000 00000000 ffff", WireFault.Options)]
    [InlineData("00 0029 1000 00000000 0001", WireFault.Options)]
    [InlineData("c0", WireFault.Options)]
    [InlineData("41", WireFault.Options)]
    public void A_record_of_a_query_is_whole(string record, WireFault expected) =>
        Assert.Equal(expected, Parse(Bytes($"1234 0100 0001 0000 0000 0001 {Question} {record}")));

    [Fact]
    public void An_answer_to_the_same_question_is_known_whatever_its_letters_case()
    {
        Assert.Equal(WireFault.None, DnsMessage.TryParse(s_query, out DnsMessage query));
        Assert.Equal(WireFault.None, DnsMessage.TryParse(Bytes("1234 8180 0001 0000 0000 0000 07 4578416d506c65 04 74455354 00 001c 0001"), out DnsMessage same));
        Assert.True(query.AsksTheSame(same) && same.IsResponse);
        foreach (string other in new[] { "07 6578616d706c65 04 74657374 00 0001 0001", "07 6578616d706c65 04 74657374 00 001c 0003", "07 6578616d706c64 04 74657374 00 001c 0001", "00 001c 0001" })
        {
            Assert.Equal(WireFault.None, DnsMessage.TryParse(Bytes($"1234 8180 0001 0000 0000 0000 {other}"), out DnsMessage answer));
            Assert.False(query.AsksTheSame(answer));
        }
    }

    [Fact]
    public void An_answer_is_written_as_it_is_read()
    {
        Assert.Equal(WireFault.None, DnsMessage.TryParse(s_query, out DnsMessage query));
        byte[] to = new byte[512];
        int length = query.BeginAnswer(to, DnsStatus.NoError, 1, authoritative: true);
        length = DnsMessage.AppendRecord(to, length, DnsType.Aaaa, 5, Bytes("fd750000000000000000000000000003"));
        Assert.Equal(Bytes($"1234 8580 0001 0001 0000 0000 {Question} c00c 001c 0001 00000005 0010 fd750000000000000000000000000003"), to[..length]);
        Assert.Equal(WireFault.None, DnsMessage.TryParse(to.AsSpan(0, length), out DnsMessage answer));
        Assert.True(answer.IsResponse && answer.AsksTheSame(query) && answer.Status == DnsStatus.NoError);
    }

    [Fact]
    public void No_bytes_throw() =>
        Gen.Select(Gen.Byte.Array[0, 100], Gen.Byte.Array[0, 300]).Sample((header, rest) =>
        {
            Parse(header);
            Parse([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, (byte)header.Length, .. rest]);
        }, iter: 20_000);
}
