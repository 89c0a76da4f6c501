using Hypha.Net.Loop;

namespace Hypha.Net.Ip;

/// <summary>
/// So many bytes in a second. A frame goes while there is anything left, and what it is too long is owed: so long frames and short ones have one
/// chance. What must not wait for bulk (a question, an acknowledgment) may owe a burst before it is too much.
/// </summary>
public sealed class Pace(EventLoop loop, long rate, long burst)
{
    private TokenBucket _bucket = new(rate, burst);

    /// <summary>Of what the guest sends: what is too much is dropped, and TCP may be silent for 200 ms after that (RFC 6298 2.4, Linux).</summary>
    public static Pace OfDropped(EventLoop loop, long rate) => new(loop, rate, Math.Max(rate / 4, 128 * 1024));

    /// <summary>Of what waits for its turn, which comes every few milliseconds.</summary>
    public static Pace OfWaiting(EventLoop loop, long rate) => new(loop, rate, Math.Max(rate / 50, 16 * 1024));

    public bool MayPass(int bytes, bool bulk) => _bucket.TryOwe(bytes, bulk ? 0 : burst, loop.Now);
}
