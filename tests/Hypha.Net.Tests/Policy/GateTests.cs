using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Hypha.Net.Loop;
using Hypha.Net.Policy;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Policy;

/// <summary>Rules by name, and what answers make of them.</summary>
public sealed class GateTests
{
    private const string Rules = """
        allow tcp to name example.test port 443
        allow to name *.example.test
        deny to name bad.test
        default deny
        """;

    private readonly Gate _gate = new(NetworkPolicy.Parse(Rules));

    [Fact]
    public void An_address_is_let_through_once_DNS_gave_it_for_the_name_of_a_rule()
    {
        Assert.False(May("192.0.2.2", 443));
        Learn("example.test", (DnsType.A, "example.test", "192.0.2.2", 60), (DnsType.Aaaa, "EXAMPLE.test", "2001:db8::2", 60));
        Assert.True(May("192.0.2.2", 443));
        Assert.True(May("2001:db8::2", 443));
        Assert.False(May("192.0.2.2", 80)); // the rule's port
        Assert.False(May("192.0.2.3", 443));
    }

    [Theory]
    [InlineData("a.example.test", true)]
    [InlineData("a.b.example.test", true)]
    [InlineData("example.test", false)]     // not below itself
    [InlineData("aexample.test", false)]
    [InlineData("example.test.evil", false)]
    [InlineData("other.test", false)]
    public void A_star_is_for_all_names_below(string name, bool matches)
    {
        Learn(name, (DnsType.A, name, "192.0.2.2", 60));
        Assert.Equal(matches, May("192.0.2.2", 80));
    }

    [Fact]
    public void A_label_that_looks_like_a_name_is_one_label()
    {
        // One label "x\7example\4test": below nothing.
        byte[] name = [14, (byte)'x', 7, .. "example"u8, 4, .. "test"u8, 0];
        Assert.False(NamePattern.Parse("*.example.test")!.Matches(name));
        Assert.True(NamePattern.Parse("*.example.test")!.Matches([1, (byte)'x', 7, .. "example"u8, 4, .. "test"u8, 0]));
    }

    [Fact]
    public void Aliases_are_followed_from_the_name_that_was_asked_and_strangers_are_not_believed()
    {
        Learn("example.test",
            (DnsType.A, "stranger.test", "192.0.2.66", 60),
            (DnsType.A, "c.test", "192.0.2.2", 60), // before its alias
            (DnsType.Cname, "example.test", "b.test", 60),
            (DnsType.Cname, "b.test", "c.test", 60));
        Assert.True(May("192.0.2.2", 443));
        Assert.False(May("192.0.2.66", 443));
        // Who is an alias of an allowed name is not allowed by that.
        Learn("evil.test", (DnsType.Cname, "evil.test", "example.test", 60), (DnsType.A, "example.test", "192.0.2.67", 60));
        Assert.False(May("192.0.2.67", 443));
        // Aliases in a circle end.
        Learn("example.test", (DnsType.Cname, "example.test", "b.test", 60), (DnsType.Cname, "b.test", "example.test", 60));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("0.0.0.0")]
    [InlineData("224.0.0.1")]
    [InlineData("::1")]
    [InlineData("fe80::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("64:ff9b::7f00:1")]
    public void A_server_of_names_opens_nothing_that_is_out_of_reach(string address)
    {
        DnsType type = address.Contains(':') ? DnsType.Aaaa : DnsType.A;
        Learn("example.test", (type, "example.test", address, 60));
        Learn("a.example.test", (type, "a.example.test", address, 60));
        Assert.False(May(address, 443));
        // Nor would the rule, had it been learnt.
        var learned = new LearnedName(Address(address), 0) { Until = long.MaxValue };
        Assert.False(NetworkPolicy.Parse(Rules).Allows(IpProtocol.Tcp, Address(address), 443, learned, 0));
    }

    [Theory]
    [InlineData(0, 30)]
    [InlineData(300, 300)]
    [InlineData(uint.MaxValue, 3_600)]
    public void An_answer_is_good_for_its_time_within_bounds(uint timeToLive, int seconds)
    {
        Learn("example.test", (DnsType.A, "example.test", "192.0.2.2", timeToLive));
        Assert.True(May("192.0.2.2", 443, seconds * MonotonicClock.Second - 1));
        Assert.False(May("192.0.2.2", 443, seconds * MonotonicClock.Second));
    }

    [Fact]
    public void An_address_of_two_names_has_the_rules_of_both_each_for_its_time()
    {
        Learn("example.test", (DnsType.A, "example.test", "192.0.2.2", 30));
        Learn("a.example.test", (DnsType.A, "a.example.test", "192.0.2.2", 60));
        Assert.True(May("192.0.2.2", 80, 59 * MonotonicClock.Second));
        Assert.False(May("192.0.2.2", 80, 60 * MonotonicClock.Second));
        Learn("bad.test", (DnsType.A, "bad.test", "192.0.2.2", 60));
        Assert.True(May("192.0.2.2", 80, 0)); // the first rule that matches
    }

    [Fact]
    public void The_oldest_go_first()
    {
        var names = new LearnedNames(limit: 3);
        IpAddress[] addresses = [.. Enumerable.Range(1, 4).Select(i => IpAddress.OfV4(0xC0000200u + (uint)i))];
        names.Add(addresses[0], 0, 60, 0);
        names.Add(addresses[0], 1, 60, 0);
        names.Add(addresses[1], 0, 60, 0);
        names.Add(addresses[0], 0, 60, 0); // used again: the second name of the first is the oldest now
        names.Add(addresses[2], 0, 60, 0);
        Assert.True(LearnedName.Holds(names.Find(addresses[0]), 0, 1));
        Assert.False(LearnedName.Holds(names.Find(addresses[0]), 1, 1));
        names.Add(addresses[3], 0, 60, 0);
        Assert.Null(names.Find(addresses[1]));
        Assert.Equal(3, names.Count);
    }

    [Fact]
    public void No_history_of_answers_breaks_the_table() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 2]).Array[0, 100].Sample(history =>
        {
            var names = new LearnedNames(limit: 8);
            var model = new List<(int Address, int Name)>();
            foreach (var (address, name) in history)
            {
                names.Add(IpAddress.OfV4((uint)address), name, 60, 0);
                model.Remove((address, name));
                model.Add((address, name));
                if (model.Count > 8)
                    model.RemoveAt(0);
            }
            for (int address = 0; address < 10; address++)
            {
                for (int name = 0; name < 3; name++)
                    Assert.Equal(model.Contains((address, name)), LearnedName.Holds(names.Find(IpAddress.OfV4((uint)address)), name, 1));
            }
        });

    [Theory]
    [InlineData("example.test", true)]
    [InlineData("www.EXAMPLE.test", true)]
    [InlineData("bad.test", false)]
    [InlineData("secret.tunnel.test", false)]
    public void Where_names_are_listed_others_are_not_asked_for(string name, bool asked)
    {
        Assert.True(_gate.MayAsk(Parse(Query(name)), 0));
        var listed = new Gate(NetworkPolicy.Parse(Rules + "\ndns listed"));
        Assert.Equal(asked, listed.MayAsk(Parse(Query(name)), 0));
    }

    [Fact]
    public void No_answer_throws()
    {
        byte[] good = Answer("example.test", (DnsType.Cname, "example.test", "b.test", 60), (DnsType.A, "b.test", "192.0.2.2", 60));
        Gen.Select(Gen.Select(Gen.Int[12, 200], Gen.Byte).Array[0, 6], Gen.Int[12, 200]).Sample((changes, length) =>
        {
            byte[] answer = [.. good];
            foreach (var (at, value) in changes)
            {
                if (at < answer.Length)
                    answer[at] = value;
            }
            if (DnsMessage.TryParse(answer.AsSpan(0, Math.Min(length, answer.Length)), out DnsMessage message) == WireFault.None)
                new Gate(NetworkPolicy.Parse(Rules)).Learn(message, 0);
        }, iter: 20_000);
    }

    [Fact]
    public void A_pointer_to_itself_is_no_name()
    {
        byte[] answer = [.. Query("example.test"), 0xC0, 30, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 2];
        answer[2] = 0x81;
        answer[7] = 1;
        Assert.Equal(30, answer.Length - 16);
        _gate.Learn(Parse(answer), 0);
        Assert.False(May("192.0.2.2", 443));
    }

    private bool May(string address, ushort port, long now = 0) => _gate.MayReach(IpProtocol.Tcp, Address(address), port, now);

    private void Learn(string name, params (DnsType Type, string Owner, string Data, uint TimeToLive)[] records) => _gate.Learn(Parse(Answer(name, records)), 0);

    private static byte[] Query(string name) => [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. Name(name), 0, 1, 0, 1];

    private static byte[] Answer(string name, params (DnsType Type, string Owner, string Data, uint TimeToLive)[] records)
    {
        List<byte> answer = [.. Query(name)];
        answer[2] = 0x81;
        answer[7] = (byte)records.Length;
        foreach (var (type, owner, data, timeToLive) in records)
        {
            byte[] bytes = type == DnsType.Cname ? Name(data) : System.Net.IPAddress.Parse(data).GetAddressBytes();
            byte[] fields = new byte[10];
            BinaryPrimitives.WriteUInt16BigEndian(fields, (ushort)type);
            fields[3] = 1;
            BinaryPrimitives.WriteUInt32BigEndian(fields.AsSpan(4), timeToLive);
            BinaryPrimitives.WriteUInt16BigEndian(fields.AsSpan(8), (ushort)bytes.Length);
            // The question's own name as servers write it: a pointer.
            answer.AddRange(owner == name ? [0xC0, 12] : Name(owner));
            answer.AddRange(fields);
            answer.AddRange(bytes);
        }
        return [.. answer];
    }

    private static byte[] Name(string name) => [.. name.Split('.').SelectMany(label => Encoding.ASCII.GetBytes(label).Prepend((byte)label.Length)), 0];

    private static DnsMessage Parse(byte[] bytes)
    {
        Assert.Equal(WireFault.None, DnsMessage.TryParse(bytes, out DnsMessage message));
        return message;
    }

    private static IpAddress Address(string text) => IpAddress.TryParse(text, out IpAddress address) ? address : throw new FormatException(text);
}
