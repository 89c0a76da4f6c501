using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>What the guest says that it has; what it lacks; how much may be under way (RFC 9293 3.10.7.4, RFC 5681, 6675, 9438).</summary>
public abstract partial class TcpConnection
{
    private const int DuplicateThreshold = 3; // RFC 6675 2, DupThresh

    /// <returns>False when the rest of the segment does not count.</returns>
    private bool ReceiveAcknowledgment(in TcpSegment segment, in TcpOptions options, long now)
    {
        SequenceNumber acknowledged = segment.Acknowledgment;
        bool opened = State == TcpState.SynReceived;
        if (opened && (acknowledged <= _unacknowledged || acknowledged > _next))
        {
            SendReset(acknowledged, TcpFlags.None);
            return false;
        }
        // For data not yet sent (RFC 9293), or older than any that can be under way (RFC 5961 5.2).
        int bytes = acknowledged - _unacknowledged;
        if (bytes > InFlight || bytes < -Math.Max(_largestSendWindow, ushort.MaxValue))
        {
            Challenge(now);
            return false;
        }
        if (opened)
        {
            State = TcpState.Established;
            _unacknowledged = acknowledged;
            bytes = 0; // the SYN is no data
            _roundTrip.Forgive();
            MeasureByTimestamp(options, now);
            _retries = 0;
            _resendAt = long.MaxValue;
            _windowSegment = segment.Sequence - 1; // so that the window is taken
            Opened();
        }

        int window = segment.Window << _sendShift;
        bool moved = bytes > 0;
        if (_sending is not null)
        {
            bool news = Has(Flags.SelectiveAcknowledgment) && TakeSack(options);
            if (!moved && bytes == 0 && InFlight > 0 && segment.SequenceLength == 0 && window == _sendWindow)
                _sending.Duplicates++;
            if (moved)
                Acknowledged(bytes, options, now);
            if (_sending is not null && (moved || news || _sending.Duplicates > 0))
                DetectLoss();
        }
        else if (moved)
        {
            Acknowledged(bytes, options, now);
        }
        if (State == TcpState.Closed)
            return false;

        // RFC 9293 3.10.7.4: the window of the newest segment counts.
        if (_windowSegment < segment.Sequence || (_windowSegment == segment.Sequence && _windowAcknowledgment <= acknowledged))
        {
            if (window > _sendWindow)
                moved = true;
            if (_sendWindow < LeastWindow && window >= LeastWindow)
            {
                // It was shut, not congested: what waited for that need not wait for longer.
                _retries = 0;
                _roundTrip.Forgive();
                if (_resendAt != long.MaxValue)
                    _resendAt = now + _roundTrip.TimeOut;
            }
            _sendWindow = window;
            _largestSendWindow = Math.Max(_largestSendWindow, window);
            _windowSegment = segment.Sequence;
            _windowAcknowledgment = acknowledged;
        }
        if (opened || moved || _sending is not null)
            Queue();
        return true;
    }

    private void Acknowledged(int bytes, in TcpOptions options, long now)
    {
        int flight = InFlight;
        int data = bytes;
        bool finished = Has(Flags.FinSent) && bytes == flight;
        if (finished)
            data--;
        _unacknowledged += bytes;
        _retries = 0;
        MeasureByTimestamp(options, now);
        if (_sending is { } sending)
        {
            sending.Release(Math.Min(data, sending.Length), _stack);
            BytesToGuest += data;
            _stack.Counters.BytesOut += (ulong)data;
            sending.Sacked.RemoveBefore(_unacknowledged);
            sending.LossEdge = Later(sending.LossEdge, _unacknowledged);
            sending.Resent = Later(sending.Resent, _unacknowledged);
            bool recovered = _unacknowledged >= sending.RecoveryPoint;
            sending.RecoveryPoint = Later(sending.RecoveryPoint, _unacknowledged); // never so far behind that it seems ahead
            sending.Duplicates = 0;
            if (sending.TimedAt != 0 && sending.TimedEnd <= _unacknowledged)
            {
                _roundTrip.Measure(now - sending.TimedAt);
                sending.TimedAt = 0;
            }
            if (sending.Recovering)
                Recover(sending, recovered);
            else
                Grow(sending, data, flight, now);
            if (sending.Length == 0 && InFlight == 0)
                ReleaseSending();
        }
        _resendAt = InFlight > 0 ? now + _roundTrip.TimeOut : long.MaxValue;
        if (!finished)
            return;
        switch (State)
        {
            case TcpState.FinWait1:
                State = TcpState.FinWait2;
                break;
            case TcpState.Closing:
                EnterTimeWait(now);
                break;
        }
        FinishIfDone(now);
    }

    private static SequenceNumber Later(SequenceNumber a, SequenceNumber b) => a < b ? b : a;

    private void MeasureByTimestamp(in TcpOptions options, long now)
    {
        if (!Has(Flags.Timestamps) || !options.HasTimestamps)
            return;
        int milliseconds = (int)(Stamp(now) - options.TimestampEcho);
        if (milliseconds >= 0)
            _roundTrip.Measure(Math.Max(1, milliseconds * MonotonicClock.Millisecond));
    }

    /// <returns>Whether there was something new in it.</returns>
    private bool TakeSack(in TcpOptions options)
    {
        int before = _sending!.Sacked.Bytes;
        foreach (SackBlock block in options.SackBlocks)
        {
            // RFC 2018 and 2883: what lies before is told twice; what was never sent is a lie.
            if (block.Start >= _unacknowledged && block.Start < block.End && block.End <= _next)
                _sending.Sacked.Add(block.Start, block.End);
        }
        return _sending.Sacked.Bytes != before;
    }

    /// <summary>RFC 6675 4, IsLost(), as an edge: what is before it and not selectively acknowledged is lost. Without SACK RFC 5681 3.2.</summary>
    private void DetectLoss()
    {
        SendQueue sending = _sending!;
        if (Has(Flags.SelectiveAcknowledgment))
        {
            int above = 0;
            for (int i = sending.Sacked.Count - 1; i >= 0; i--)
            {
                SackBlock block = sending.Sacked[i];
                above += block.End - block.Start;
                if (above > (DuplicateThreshold - 1) * _segmentSize || sending.Sacked.Count - i >= DuplicateThreshold)
                {
                    sending.LossEdge = Later(sending.LossEdge, block.Start);
                    break;
                }
            }
        }
        else if (sending.Duplicates == DuplicateThreshold && !sending.Recovering)
        {
            sending.LossEdge = Later(sending.LossEdge, _unacknowledged + Math.Min(_segmentSize, InFlight));
        }
        if (sending.Recovering || sending.LossEdge <= _unacknowledged || _unacknowledged < sending.RecoveryPoint)
            return;
        _stack.Counters.FastRecoveries++;
        sending.Recovering = true;
        sending.RecoveryPoint = _next;
        sending.Cubic.Reduce((double)_congestionWindow / _segmentSize);
        _slowStartThreshold = Math.Max((int)(Math.Min(_congestionWindow, InFlight) * Cubic.Decrease), 2 * _segmentSize);
        _congestionWindow = _slowStartThreshold;
    }

    private void Recover(SendQueue sending, bool recovered)
    {
        if (recovered)
        {
            sending.Recovering = false;
            return;
        }
        // RFC 6582 3.2: without SACK, a partial acknowledgment names the next segment that is lost.
        if (!Has(Flags.SelectiveAcknowledgment))
        {
            sending.LossEdge = _unacknowledged + Math.Min(_segmentSize, InFlight);
            sending.Resent = _unacknowledged;
        }
    }

    private void Grow(SendQueue sending, int bytes, int flight, long now)
    {
        // RFC 7661: a window that was not used says nothing of what the path bears.
        if (flight < _congestionWindow / 2)
            return;
        if (_congestionWindow < _slowStartThreshold)
            _congestionWindow = (int)Math.Min((long)_congestionWindow + bytes, _slowStartThreshold);
        else
            _congestionWindow += (int)(sending.Cubic.Increase((double)_congestionWindow / _segmentSize, (double)bytes / _segmentSize, _roundTrip.Smoothed, now) * _segmentSize);
        _congestionWindow = Math.Min(_congestionWindow, _stack.SendLimit);
    }

    /// <summary>Bytes that are likely still under way (RFC 6675 4, SetPipe()).</summary>
    private int Pipe()
    {
        if (_sending is not { } sending)
            return InFlight;
        int pipe = InFlight - sending.Sacked.Bytes;
        SequenceNumber at = Later(sending.Resent, _unacknowledged);
        if (at < sending.LossEdge)
        {
            pipe -= sending.LossEdge - at;
            for (int i = 0; i < sending.Sacked.Count; i++)
            {
                SackBlock block = sending.Sacked[i];
                int overlap = (block.End < sending.LossEdge ? block.End : sending.LossEdge) - Later(block.Start, at);
                if (overlap > 0)
                    pipe += overlap;
            }
        }
        if (!Has(Flags.SelectiveAcknowledgment) && sending.Recovering)
            pipe -= sending.Duplicates * _segmentSize;
        return Math.Max(pipe, 0);
    }
}
