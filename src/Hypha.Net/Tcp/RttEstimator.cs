using Hypha.Net.Loop;

namespace Hypha.Net.Tcp;

/// <summary>The retransmission time-out from measured round trips (RFC 6298), in microseconds.</summary>
public struct RttEstimator
{
    // RFC 6298 2.4 says one second; Linux' 200 ms is what a guest is used to, and more than any delayed acknowledgment.
    public const int Least = 200_000, Most = 60_000_000, Initial = 1_000_000;

    private int _smoothed, _variation;
    private byte _backOff; // time-outs since the last measurement

    /// <summary>0 before the first measurement.</summary>
    public readonly int Smoothed => _smoothed;

    public readonly int TimeOut => (int)Math.Min((long)Settled << _backOff, Most);

    private readonly int Settled => _smoothed == 0 ? Initial : Math.Clamp(_smoothed + Math.Max(4 * _variation, 1_000), Least, Most);

    /// <summary>RFC 6298 5.5: twice as long after each time-out; until something is measured again, as Karn says (RFC 6298 3).</summary>
    public void BackOff() => _backOff = (byte)Math.Min(_backOff + 1, 16);

    /// <summary>What was waited for was no loss.</summary>
    public void Forgive() => _backOff = 0;

    public void Measure(long roundTrip)
    {
        _backOff = 0;
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
