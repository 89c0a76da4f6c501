using Hypha.Net.Loop;
using Hypha.Net.Policy;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Policy;

public sealed class DenialLogTests
{
    private readonly TimerWheel _timers = new(0);
    private readonly List<string> _lines = [];
    private readonly DenialLog _log;

    public DenialLogTests() => _log = new DenialLog(_timers, _lines.Add);

    [Fact]
    public void A_line_says_who_where_and_what()
    {
        _log.Add(new Denial(In: false, IpProtocol.Tcp, V4(0x0A4B0002), V4(0xC0000202), 8), 0);
        _log.Add(new Denial(In: true, IpProtocol.Icmp6, new IpAddress(0xFD75_0000_0000_0000, 3), new IpAddress(0xFD75_0000_0000_0000, 2), 0), 0);
        _log.Add(new Denial(In: false, (IpProtocol)47, V4(0x0A4B0002), V4(0xC0000202), 0), 0);
        Assert.Equal(["denied tcp from 10.75.0.2 to 192.0.2.2 port 8", "denied in icmp from fd75::3 to fd75::2", "denied protocol 47 from 10.75.0.2 to 192.0.2.2"], _lines);
    }

    [Fact]
    public void A_name_that_is_refused_is_named_in_plain_letters_once()
    {
        for (int i = 0; i < 2; i++)
            _log.AddName([3, (byte)'a', 27, (byte)'\n', 4, .. "test"u8, 0], 0);
        _log.AddName([0], 0);
        Assert.Equal(["refused the name a??.test", "refused the name "], _lines);
    }

    [Fact]
    public void The_same_flow_is_named_once_a_minute()
    {
        for (int second = 0; second < 120; second++)
            _log.Add(Flow(1), second * MonotonicClock.Second);
        Assert.Equal(2, _lines.Count);
        Assert.Equal(0, _timers.Count);
    }

    [Fact]
    public void Ten_are_named_in_a_minute_and_the_rest_counted()
    {
        for (int i = 0; i < 100; i++)
            _log.Add(Flow(i), i * MonotonicClock.Millisecond);
        _log.Add(Flow(3), MonotonicClock.Second); // was named
        Assert.Equal(10, _lines.Count);
        _timers.Advance(61 * MonotonicClock.Second);
        Assert.Equal("denied 90 more in the last minute, of other flows", _lines[^1]);
        _log.Add(Flow(3), 61 * MonotonicClock.Second);
        Assert.Equal(12, _lines.Count);
        _timers.Advance(300 * MonotonicClock.Second);
        Assert.Equal(12, _lines.Count);
    }

    [Fact]
    public void A_flood_is_not_named_in_full_nor_allocates()
    {
        for (int i = 0; i < 100; i++)
            _log.Add(Flow(i), 0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100_000; i++)
            _log.Add(Flow(i), 1);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        _log.Close();
        Assert.Equal(0, _timers.Count);
    }

    private static Denial Flow(int i) => new(In: false, IpProtocol.Tcp, V4(0x0A4B0002), V4(0xC0000000 + (uint)i), 80);

    private static IpAddress V4(uint address) => IpAddress.OfV4(address);
}
