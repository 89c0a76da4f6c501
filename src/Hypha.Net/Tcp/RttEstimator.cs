using Hypha.Net.Loop;

namespace Hypha.Net.Tcp;

/// <summary>The retransmission time-out from measured round trips (RFC 6298), in microseconds.</summary>
public struct RttEstimator
{
    // RFC 6298 2.4 says one second; Linux' 200 ms is what a guest is used to, and more than any delayed acknowledgment.
    public const int Least = 200_000, Most = 60_000_000, Initial = 1_000_000;

    private int _smoothed, _variation;

    /// <summary>0 before the first measurement.</summary>
    public readonly int Smoothed => _smoothed;

    public readonly int TimeOut => _smoothed == 0 ? Initial : Math.Clamp(_smoothed + Math.Max(4 * _variation, 1_000), Least, Most);

    public void Measure(long roundTrip)
    {
        int rtt = (int)Math.Clamp(roundTrip, 1, Most);
        if (_smoothed == 0)
        {
            _smoothed = rtt;
            _variation = rtt / 2;
            return;
        }
        _variation += (Math.Abs(_smoothed - rtt) - _variation) / 4;
        _smoothed = Math.Max(1, _smoothed + (rtt - _smoothed) / 8);
    }
}
