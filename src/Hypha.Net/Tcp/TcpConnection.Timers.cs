using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>Retransmission, zero-window probes, delayed acknowledgments, keep-alive, TIME-WAIT: one timer for all.</summary>
public abstract partial class TcpConnection
{
    /// <summary>RFC 9293 3.8.6.3 allows half a second; an answer that comes along carries it long before.</summary>
    private const long DelayedAcknowledgment = 5 * MonotonicClock.Millisecond;

    /// <summary>RFC 9293 3.8.4: two hours, then a probe every 75 s.</summary>
    private const long KeepAliveIdle = 7_200 * MonotonicClock.Second, KeepAliveInterval = 75 * MonotonicClock.Second;
    private const int KeepAliveProbes = 9;

    /// <summary>Twice the longest life of a segment: between a guest and us there is one link without queues of seconds.</summary>
    private const long TimeWaitTime = 1 * MonotonicClock.Second;

    private const int SynRetries = 5, Retries = 10;
    private const long UnheardLimit = 300 * MonotonicClock.Second;

    protected internal override void Expire(long now)
    {
        if (State is TcpState.Closed or TcpState.Connecting)
            return;
        if (now >= _acknowledgeAt)
        {
            _acknowledgeAt = long.MaxValue;
            _flags |= Flags.AcknowledgeNow; // still, when there is no room now
            SendAcknowledgment(now);
        }
        if (now >= _resendAt)
        {
            _resendAt = long.MaxValue;
            ResendTimeOut(now);
        }
        if (now >= _idleAt && State != TcpState.Closed)
        {
            _idleAt = long.MaxValue;
            Idle(now);
        }
        SettleTimers(now);
    }

    private void ResendTimeOut(long now)
    {
        if (State is TcpState.SynSent or TcpState.SynReceived)
        {
            if (_retries++ >= SynRetries)
            {
                End(TcpEnd.TimedOut);
                return;
            }
            _roundTrip.BackOff();
            SendSyn(now);
            return;
        }
        if (InFlight == 0)
        {
            ProbeWindow(now);
            return;
        }
        // A guest that is paused, say: what has not gone out cannot have been lost.
        if (Has(Flags.WaitingForRoom))
        {
            _resendAt = now + _roundTrip.TimeOut;
            return;
        }
        // RFC 9293 3.8.6.1: a guest that shut its window upon what is under way, and says so, is waited for.
        if (_retries >= Retries && (_sendWindow > 0 || now - _lastHeard > UnheardLimit))
        {
            Abort(TcpEnd.TimedOut);
            return;
        }
        _stack.Counters.TimeOuts++;
        SendQueue sending = _sending ?? NewQueue();
        // RFC 5681 3.1: the threshold falls once for a loss, not again with each time-out for it.
        if (_retries == 0)
        {
            sending.Cubic.Reduce((double)_congestionWindow / _segmentSize);
            _slowStartThreshold = Math.Max((int)(Math.Min(_congestionWindow, InFlight) * Cubic.Decrease), 2 * _segmentSize);
        }
        // RFC 2018 8: the guest may have thrown away what it had told of; surely when that begins where it waits.
        if (_retries > 0 || (sending.Sacked.Count > 0 && sending.Sacked[0].Start <= _unacknowledged))
            sending.Sacked.Clear();
        if (_retries < byte.MaxValue)
            _retries++;
        _roundTrip.BackOff();
        _congestionWindow = _segmentSize;
        sending.Recovering = false;
        sending.Duplicates = 0;
        sending.RecoveryPoint = _next;
        sending.LossEdge = _next;
        sending.Resent = _unacknowledged;
        _resendAt = now + _roundTrip.TimeOut;
        Queue();
    }

    /// <summary>RFC 9293 3.8.6.1. A segment before the window, without data: the guest answers it with its window.</summary>
    private void ProbeWindow(long now)
    {
        if (_retries >= Retries && now - _lastHeard > UnheardLimit)
        {
            Abort(TcpEnd.TimedOut);
            return;
        }
        if (_sendWindow == 0 && !TrySend(_unacknowledged - 1, TcpFlags.Ack, default, default, now))
        {
            _resendAt = now + RttEstimator.Least; // the link had no room: that was no try
            return;
        }
        if (_retries < byte.MaxValue)
            _retries++;
        _roundTrip.BackOff();
        _resendAt = now + _roundTrip.TimeOut;
        if (_sendWindow > 0)
        {
            _flags |= Flags.SendLittle;
            Queue();
        }
    }

    private void Idle(long now)
    {
        if (State == TcpState.TimeWait)
        {
            if (Has(Flags.StreamReleased))
                End(TcpEnd.Finished);
            else
                _idleAt = now + TimeWaitTime; // the stream has not taken all yet
            return;
        }
        if (now - _lastHeard < KeepAliveIdle)
            return;
        if (_probes >= KeepAliveProbes)
        {
            Abort(TcpEnd.TimedOut);
            return;
        }
        _idleAt = now + KeepAliveInterval;
        if (TrySend(_unacknowledged - 1, TcpFlags.Ack, default, default, now))
            _probes++;
    }

    private void EnterTimeWait(long now)
    {
        State = TcpState.TimeWait;
        ReleaseSending();
        _resendAt = long.MaxValue;
        _idleAt = now + TimeWaitTime;
        SettleTimers(now);
    }

    /// <summary>Both directions ended: the stream goes, and the connection when nothing of it can come any more.</summary>
    private void FinishIfDone(long now)
    {
        if (!Has(Flags.GuestEndPassed))
            return;
        if (State == TcpState.TimeWait)
            ReleaseStream(TcpEnd.Finished);
        else if (State == TcpState.LastAck && InFlight == 0)
            End(TcpEnd.Finished);
    }

    /// <summary>A guest's new SYN takes the place of a connection that only waits for stragglers (RFC 9293 3.10.7.4, RFC 6191).</summary>
    public bool TryReplace(in TcpSegment syn)
    {
        if (State != TcpState.TimeWait || !Has(Flags.StreamReleased) || (syn.Flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst)) != TcpFlags.Syn)
            return false;
        if (syn.Sequence <= _expected)
        {
            TcpOptions.Read(syn.Options, out TcpOptions options);
            if (!Has(Flags.Timestamps) || !options.HasTimestamps || (int)(options.TimestampValue - _recentStamp) <= 0)
                return false;
        }
        End(TcpEnd.Finished);
        return true;
    }

    private void SetAcknowledge(long at)
    {
        _acknowledgeAt = at;
        Arm();
    }

    private void SettleTimers(long now)
    {
        if (State is TcpState.Closed or TcpState.Connecting)
            return;
        if (State is not (TcpState.SynSent or TcpState.SynReceived or TcpState.TimeWait))
        {
            if (InFlight == 0 && !IsShut)
                _resendAt = long.MaxValue;
            else if (_resendAt == long.MaxValue)
                _resendAt = now + _roundTrip.TimeOut;
            if (_idleAt == long.MaxValue)
                _idleAt = _lastHeard + KeepAliveIdle;
        }
        Arm();
    }

    /// <summary>The window is shut, or as good as shut, while there is something to send: only asking opens it again.</summary>
    private bool IsShut => State is TcpState.Established or TcpState.CloseWait
        && (Unsent > 0 || (Has(Flags.StreamReadable) && !Has(Flags.StreamEnded)) ? _sendWindow < LeastWindow || _sendWindow == 0 : Has(Flags.StreamEnded) && _sendWindow == 0);

    private void Arm()
    {
        long due = Math.Min(_resendAt, Math.Min(_acknowledgeAt, _idleAt));
        if (due == long.MaxValue)
            _stack.Timers.Clear(this);
        else
            _stack.Timers.Set(this, due);
    }
}
