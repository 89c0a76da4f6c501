using CsCheck;
using Hypha.Net.Ip;
using Hypha.Net.Loop;

namespace Hypha.Net.Tests.Ip;

public sealed class TokenBucketTests
{
    [Fact]
    public void What_is_owed_is_paid_before_more_is_taken()
    {
        var bucket = new TokenBucket(rate: 1_000, burst: 100);
        Assert.True(bucket.TryOwe(1_100, credit: 0, now: 0)); // 1,000 more than there are
        Assert.False(bucket.TryOwe(1, credit: 0, MonotonicClock.Second));
        Assert.True(bucket.TryOwe(1, credit: 1, MonotonicClock.Second));
        Assert.True(bucket.TryOwe(1, credit: 0, MonotonicClock.Second + 2 * MonotonicClock.Millisecond));
        Assert.False(bucket.TryTake(101, 100 * MonotonicClock.Second));
        Assert.True(bucket.TryTake(100, 100 * MonotonicClock.Second)); // and no more than a burst is ever there
    }

    [Fact]
    public void Over_any_time_no_more_passes_than_the_rate_a_burst_and_one_frame() =>
        Gen.Select(Gen.Int[1, 65_550], Gen.Long[0, 20_000], Gen.Bool).Array[1, 300].Sample(frames =>
        {
            const long rate = 1_000_000, burst = 20_000;
            var bucket = new TokenBucket(rate, burst);
            long now = 0, passed = 0;
            foreach (var (length, pause, bulk) in frames)
            {
                now += pause;
                if (bucket.TryOwe(length, bulk ? 0 : burst, now))
                    passed += length;
                Assert.InRange(passed, 0, rate * now / MonotonicClock.Second + burst + burst + 65_550);
            }
        });
}
