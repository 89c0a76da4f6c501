using CsCheck;
using Hypha.Net.Ip;
using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Ip;

public sealed class ReassemblyTests
{
    private static readonly IpAddress s_guest = IpAddress.OfV4(0x0A4B0002), s_world = IpAddress.OfV4(0xC0000202);
    private static readonly IpAddress s_guest6 = new(0xFD75_0000_0000_0000, 2), s_world6 = new(0x2001_0DB8_0000_0000, 2);

    private readonly TimerWheel _timers = new(0);
    private readonly List<byte[]> _timedOut = [];
    private readonly Reassembly _reassembly;

    public ReassemblyTests() => _reassembly = new Reassembly(_timers, (beginning, _) => _timedOut.Add(beginning.ToArray()));

    private static readonly Gen<(bool V4, int Length, int[] Cuts, int Seed)> s_splits =
        Gen.Select(Gen.Bool, Gen.Int[1, 65_000], Gen.Int[1, 8_000].Array[0, 20], Gen.Int);

    [Fact]
    public void Any_split_in_any_order_with_duplicates_gives_the_packet_back() => s_splits.Sample(split =>
    {
        var (v4, length, cuts, seed) = split;
        var random = new Random(seed);
        byte[] payload = new byte[length];
        random.NextBytes(payload);
        List<byte[]> fragments = Split(v4, payload, cuts);
        if (fragments.Count == 1)
            return; // whole already
        fragments.AddRange(fragments.Where(_ => random.Next(4) == 0).ToArray());
        byte[][] shuffled = [.. fragments];
        random.Shuffle(shuffled);
        var reassembly = new Reassembly(new TimerWheel(0), (_, _) => { });
        byte[]? got = null;
        foreach (byte[] fragment in shuffled)
            got = Add(reassembly, fragment) ?? got;
        Assert.NotNull(got);
        ReadOnlySpan<byte> found = v4
            ? Ipv4Packet.TryParse(got, out Ipv4Packet whole) == WireFault.None ? whole.Payload : default
            : Ipv6Packet.TryParse(got, out Ipv6Packet whole6, out _) == WireFault.None ? whole6.Payload : default;
        Assert.True(found.SequenceEqual(payload));
    }, iter: 300);

    [Theory]
    [InlineData(0, 16, 8, 16)]   // into the first
    [InlineData(8, 24, 0, 16)]   // over its beginning
    [InlineData(0, 32, 8, 16)]   // inside it
    [InlineData(8, 16, 0, 32)]   // around it
    public void What_lies_over_another_throws_all_of_it_away(int start, int end, int otherStart, int otherEnd)
    {
        Assert.Null(Add(_reassembly, Fragment(start, new byte[end - start], more: true)));
        Assert.Null(Add(_reassembly, Fragment(otherStart, new byte[otherEnd - otherStart], more: true)));
        Assert.Equal(1ul, _reassembly.Counters.Overlapped);
        // and what comes later does not bring it back
        Assert.Null(Add(_reassembly, Fragment(0, new byte[64], more: false)));
        Assert.Equal(0ul, _reassembly.Counters.Reassembled);
    }

    [Fact]
    public void An_end_that_moves_and_a_length_past_65535_are_refused()
    {
        Assert.Null(Add(_reassembly, Fragment(64, new byte[8], more: false)));
        Assert.Null(Add(_reassembly, Fragment(72, new byte[8], more: true)));
        Assert.Null(Add(_reassembly, Fragment(65_528, new byte[64], more: false, identification: 2)));
        Assert.Null(Add(_reassembly, Fragment(0, new byte[7], more: true, identification: 3)));
        Assert.Equal(3ul, _reassembly.Counters.Malformed);
        Assert.Equal(1, _reassembly.Count);
    }

    [Fact]
    public void The_oldest_goes_when_there_are_too_many_and_all_go_in_time()
    {
        for (int i = 0; i < 3 * Reassembly.Datagrams; i++)
            Assert.Null(Add(_reassembly, Fragment(0, new byte[8], more: true, identification: (ushort)i)));
        Assert.Equal(Reassembly.Datagrams, _reassembly.Count);
        Assert.Equal(2ul * Reassembly.Datagrams, _reassembly.Counters.Evicted);
        for (long now = 0; now < 40 * MonotonicClock.Second; now += 100 * MonotonicClock.Millisecond)
            _timers.Advance(now);
        Assert.Equal(0, _reassembly.Count);
        Assert.Equal(0, _timers.Count);
        // Each is told with its beginning.
        Assert.Equal(Reassembly.Datagrams, _timedOut.Count);
        Assert.All(_timedOut, packet => Assert.Equal(Ipv4Packet.HeaderSize + 8, packet.Length));
    }

    [Fact]
    public void Random_fragments_harm_nothing() =>
        Gen.Select(Gen.Int[0, 0xFFFF], Gen.Int[0, 200], Gen.Bool, Gen.Int[0, 12]).Array[1, 200].Sample(fragments =>
        {
            var reassembly = new Reassembly(new TimerWheel(0), (_, _) => { });
            foreach (var (offset, length, more, identification) in fragments)
            {
                Add(reassembly, Fragment(offset & ~7, new byte[length], more, (ushort)identification));
                Assert.InRange(reassembly.Count, 0, Reassembly.Datagrams);
            }
            reassembly.Clear();
            Assert.Equal(0, reassembly.Count);
        }, iter: 300);

    private static byte[]? Add(Reassembly reassembly, byte[] fragment)
    {
        ReadOnlySpan<byte> whole;
        if (fragment[0] >> 4 == 4)
            return Ipv4Packet.TryParse(fragment, out Ipv4Packet packet) == WireFault.None && packet.IsFragment && reassembly.TryAdd(packet, 0, out whole) ? whole.ToArray() : null;
        return Ipv6Packet.TryParse(fragment, out Ipv6Packet packet6, out _) == WireFault.None && packet6.IsFragment && reassembly.TryAdd(packet6, 0, out whole) ? whole.ToArray() : null;
    }

    private static List<byte[]> Split(bool v4, byte[] payload, int[] cuts)
    {
        int[] places = [0, .. cuts.Select(cut => cut * 8).Where(cut => cut < payload.Length).Distinct().Order()];
        var fragments = new List<byte[]>();
        for (int i = 0; i < places.Length; i++)
        {
            int end = i + 1 < places.Length ? places[i + 1] : payload.Length;
            byte[] part = payload[places[i]..end];
            fragments.Add(v4 ? Fragment(places[i], part, end < payload.Length) : Fragment6(places[i], part, end < payload.Length));
        }
        return fragments;
    }

    private static byte[] Fragment(int offset, byte[] part, bool more, ushort identification = 1)
    {
        byte[] packet = new byte[Ipv4Packet.HeaderSize + part.Length];
        Ipv4Packet.WriteFragment(packet, s_guest, s_world, IpProtocol.Udp, part.Length, 64, identification, offset, more);
        part.CopyTo(packet, Ipv4Packet.HeaderSize);
        return packet;
    }

    private static byte[] Fragment6(int offset, byte[] part, bool more)
    {
        byte[] packet = new byte[Ipv6Packet.HeaderSize + Ipv6Packet.FragmentHeaderSize + part.Length];
        Ipv6Packet.Write(packet, s_guest6, s_world6, IpProtocol.Fragment, Ipv6Packet.FragmentHeaderSize + part.Length);
        packet[Ipv6Packet.HeaderSize] = (byte)IpProtocol.Udp;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(Ipv6Packet.HeaderSize + 2), (ushort)(offset | (more ? 1 : 0)));
        packet[Ipv6Packet.HeaderSize + 7] = 1;
        part.CopyTo(packet, Ipv6Packet.HeaderSize + Ipv6Packet.FragmentHeaderSize);
        return packet;
    }
}
