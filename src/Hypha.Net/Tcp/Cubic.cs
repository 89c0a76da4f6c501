namespace Hypha.Net.Tcp;

/// <summary>CUBIC's way of growing the congestion window after a loss (RFC 9438 4), in segments and seconds.</summary>
public struct Cubic
{
    public const double Decrease = 0.7; // RFC 9438 4.6
    private const double C = 0.4;       // RFC 9438 4.2, segments per second cubed

    private double _most;       // W_max: the window before the last loss
    private double _untilMost;  // K: how long until it is reached again
    private double _reno;       // W_est: what Reno's window would be
    private long _epoch;        // when growing began, microseconds; 0 before

    /// <summary>A loss was seen with a window of so many segments.</summary>
    public void Reduce(double window)
    {
        // RFC 9438 4.7, fast convergence: a smaller window than last time leaves room for others.
        _most = window < _most ? window * (1 + Decrease) / 2 : window;
        _epoch = 0;
    }

    /// <summary>How many segments to add to the window for <paramref name="acknowledged"/> segments.</summary>
    /// <param name="roundTrip">Smoothed, microseconds.</param>
    public double Increase(double window, double acknowledged, long roundTrip, long now)
    {
        if (_epoch == 0)
        {
            _epoch = now;
            _reno = window;
            if (_most < window)
                _most = window;
            _untilMost = Math.Cbrt((_most - window) / C);
        }
        double time = (now - _epoch + roundTrip) / 1e6 - _untilMost;
        double target = Math.Clamp(C * time * time * time + _most, window, 1.5 * window);
        // RFC 9438 4.3: not slower than Reno with the same decrease.
        _reno += 3 * (1 - Decrease) / (1 + Decrease) * acknowledged / window;
        double growth = (target - window) / window * acknowledged;
        return Math.Max(growth, Math.Min(_reno - window, acknowledged));
    }
}
