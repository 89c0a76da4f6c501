using Hypha.Net.Loop;

namespace Hypha.Net.Tests.Loop;

public sealed class TurnSharesTests
{
    [Fact]
    public void The_share_is_divided_by_those_who_had_something_to_say_lately()
    {
        var shares = new TurnShares();
        long one = 0, other = 0, now = 5 * MonotonicClock.Second;
        Assert.Equal(200, shares.Begin(ref one, now).Length);
        Assert.Equal(200, shares.Begin(ref one, now).Length); // the same guest
        Assert.Equal(100, shares.Begin(ref other, now).Length);
        now += 100 * MonotonicClock.Millisecond;
        Assert.Equal(100, shares.Begin(ref one, now).Length);
        now += 100 * MonotonicClock.Millisecond;
        Assert.Equal(200, shares.Begin(ref one, now).Length);
        Span<long> many = new long[100];
        foreach (ref long guest in many)
            shares.Begin(ref guest, now);
        Assert.Equal(25, shares.Begin().Length);
        Assert.Equal(200, shares.Begin(ref one, now + MonotonicClock.Second).Length);
    }
}
