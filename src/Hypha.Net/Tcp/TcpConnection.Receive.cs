using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>Segments that arrive (RFC 9293 3.10.7).</summary>
public abstract partial class TcpConnection
{
    /// <summary>RFC 7323 5.5 says 24 days, for a clock of milliseconds; with one of microseconds (Linux can) half an hour is half around.</summary>
    private const long StampLife = 1_000 * MonotonicClock.Second;

    /// <param name="segment">Its checksum was right.</param>
    public void Receive(in TcpSegment segment, long now)
    {
        _stack.Counters.SegmentsIn++;
        TcpFlags flags = segment.Flags;
        switch (State)
        {
            case TcpState.Closed:
                return;
            case TcpState.Connecting:
                // The guest asks again, which changes nothing, or gave up.
                if ((flags & TcpFlags.Rst) != 0 && segment.Sequence == _expected)
                    End(TcpEnd.ResetByGuest);
                return;
        }
        TcpOptions.Read(segment.Options, out TcpOptions options);
        if (State == TcpState.SynSent)
        {
            ReceiveInSynSent(segment, options, now);
            return;
        }

        // RFC 7323 5.3, PAWS: an old duplicate. 5.5: not after a silence in which the guest's clock may have gone half around.
        if (Has(Flags.Timestamps) && options.HasTimestamps && (flags & TcpFlags.Rst) == 0 && (int)(options.TimestampValue - _recentStamp) < 0
            && now - _lastHeard < StampLife)
        {
            _stack.Counters.Unacceptable++;
            AcknowledgeNow();
            return;
        }
        if (!IsAcceptable(segment))
        {
            _stack.Counters.Unacceptable++;
            if (segment.Sequence < _expected && segment.SequenceLength > 0)
                _stack.Counters.Duplicates++;
            if ((flags & TcpFlags.Rst) != 0)
                return;
            // 3.10.7.4: told where we are. What is far from here is rather an attack than an old friend.
            bool near = Math.Abs((long)(segment.Sequence - _expected)) <= _stack.ReceiveWindow;
            // Our acknowledgment was lost: the next tells of what came again, or the guest would take its time-out for a round trip.
            if (near && options.HasTimestamps && segment.SequenceLength > 0 && segment.Sequence < _expected)
                _recentStamp = options.TimestampValue;
            if (near || _stack.MayChallenge(now))
                AcknowledgeNow();
            return;
        }
        if ((flags & TcpFlags.Rst) != 0)
        {
            // RFC 5961 3.2: only at the very place that is expected; elsewhere the guest has to say it again.
            if (segment.Sequence == _expected)
            {
                _stack.Counters.ResetsIn++;
                ReceiveReset(now);
            }
            else
            {
                Challenge(now);
            }
            return;
        }
        if ((flags & TcpFlags.Syn) != 0) // RFC 5961 4.2
        {
            Challenge(now);
            return;
        }
        if ((flags & TcpFlags.Ack) == 0)
            return;
        _lastHeard = now;
        _probes = 0;
        // RFC 7323 4.3: the timestamp to echo is of the segment that begins with what was acknowledged last, or before.
        if (options.HasTimestamps && segment.Sequence <= _expected - _unanswered)
            _recentStamp = options.TimestampValue;
        if (!ReceiveAcknowledgment(segment, options, now))
            return;
        if (State is TcpState.Established or TcpState.FinWait1 or TcpState.FinWait2)
            ReceiveData(segment, now);
    }

    /// <summary>RFC 9293 3.4, table 6.</summary>
    private bool IsAcceptable(in TcpSegment segment)
    {
        int length = segment.SequenceLength;
        int window = _advertised - _expected;
        int from = segment.Sequence - _expected;
        int to = from + length;
        return length == 0
            ? from >= 0 && from <= window
            : window > 0 ? to > 0 && from < window
            // RFC 9293 3.10.7.4: when the window is shut, the acknowledgment of what knocks at it counts still.
            : from == 0;
    }

    private void ReceiveReset(long now)
    {
        // What it had sent up to its end was acknowledged, and the stream gets it still (RFC 1337 for TIME-WAIT).
        if (State is TcpState.Closing or TcpState.LastAck or TcpState.TimeWait && !Has(Flags.GuestEndPassed))
        {
            if (State != TcpState.TimeWait)
                EnterTimeWait(now);
            return;
        }
        End(TcpEnd.ResetByGuest);
    }

    private void Challenge(long now)
    {
        _stack.Counters.Challenges++;
        if (_stack.MayChallenge(now))
            AcknowledgeNow();
    }

    private void ReceiveInSynSent(in TcpSegment segment, in TcpOptions options, long now)
    {
        TcpFlags flags = segment.Flags;
        bool acceptable = (flags & TcpFlags.Ack) != 0 && segment.Acknowledgment == _next;
        if ((flags & TcpFlags.Ack) != 0 && !acceptable)
        {
            if ((flags & TcpFlags.Rst) == 0)
                SendReset(segment.Acknowledgment, TcpFlags.None);
            return;
        }
        if ((flags & TcpFlags.Rst) != 0)
        {
            if (acceptable)
            {
                _stack.Counters.ResetsIn++;
                End(TcpEnd.ResetByGuest);
            }
            return;
        }
        // A SYN without an acknowledgment would be both opening at once: nobody does, and it would be a guest's to play with.
        if (!acceptable || (flags & TcpFlags.Syn) == 0)
            return;
        _expected = segment.Sequence + 1;
        _advertised = _expected + Math.Min(_stack.ReceiveWindow, ushort.MaxValue); // as our SYN said
        _unacknowledged = _next;
        _retries = 0;
        _roundTrip.Forgive();
        _windowSegment = segment.Sequence;
        _windowAcknowledgment = segment.Acknowledgment;
        Negotiate(options, offered: false);
        _sendWindow = _largestSendWindow = segment.Window; // RFC 7323 2.2: not scaled in a SYN
        if (options.HasTimestamps)
            _recentStamp = options.TimestampValue;
        MeasureByTimestamp(options, now);
        _lastHeard = now;
        State = TcpState.Established;
        SettleTimers(now);
        AcknowledgeNow();
        Opened();
    }

    private void ReceiveData(in TcpSegment segment, long now)
    {
        ReadOnlySpan<byte> bytes = segment.Payload;
        SequenceNumber start = segment.Sequence;
        bool fin = (segment.Flags & TcpFlags.Fin) != 0;
        int old = _expected - start;
        if (old > 0)
        {
            if (old >= bytes.Length + (fin ? 1 : 0))
                return;
            bytes = bytes[Math.Min(old, bytes.Length)..];
            start = _expected;
        }
        int room = _advertised - start;
        if (bytes.Length > room)
        {
            bytes = bytes[..room];
            fin = false;
            AcknowledgeNow(); // so that the guest learns where the window ends
        }
        if (start != _expected)
        {
            KeepAhead(start, bytes);
            AcknowledgeNow();
            return;
        }
        if (bytes.Length > 0 && !Take(bytes, now))
            return;
        if (!fin || State is TcpState.Closed)
            return;
        _receiving?.Ahead.Clear(); // behind a FIN: nonsense, and not waited for
        _expected += 1;
        if (_advertised < _expected)
            _advertised = _expected;
        _flags |= Flags.GuestEnded;
        AcknowledgeNow();
        switch (State)
        {
            case TcpState.Established:
                State = TcpState.CloseWait;
                break;
            case TcpState.FinWait1:
                State = TcpState.Closing;
                break;
            case TcpState.FinWait2:
                EnterTimeWait(now);
                break;
        }
        PassPending(now);
    }

    /// <summary>Takes bytes that are next in order.</summary>
    /// <returns>False when there was no place for them: as if they had been lost.</returns>
    private bool Take(ReadOnlySpan<byte> bytes, long now)
    {
        if (_receiving is null || _receiving.Pending == 0)
        {
            int taken = Has(Flags.StreamBlocked) || Has(Flags.StreamReleased) ? 0 : Write(bytes);
            if (taken < 0)
            {
                Abort(TcpEnd.Broken);
                return false;
            }
            Advance(taken);
            // What is kept ahead lies so much nearer to the first byte in order now.
            _receiving?.Skip(taken, _stack.ReceiveBlocks);
            bytes = bytes[taken..];
        }
        if (bytes.Length > 0)
        {
            _flags |= Flags.StreamBlocked;
            ReceiveBuffer buffer = Buffer();
            if (!buffer.TryWrite(buffer.Pending, bytes, _stack.ReceiveBlocks))
            {
                _stack.Counters.NoBuffer++;
                DropBufferIfEmpty();
                AcknowledgeNow();
                return false;
            }
            buffer.Extend(bytes.Length);
            Advance(bytes.Length);
        }
        bool gap = _receiving is { Ahead.Count: > 0 };
        JoinAhead(now);
        if (State == TcpState.Closed)
            return false;
        // RFC 9293 3.8.6.3: at least every second segment at once, and what fills a gap (RFC 5681 4.2); the rest may wait for data to go with.
        if (_unanswered >= 2 * _segmentSize || gap)
            AcknowledgeNow();
        else if (_acknowledgeAt == long.MaxValue)
            SetAcknowledge(now + DelayedAcknowledgment);
        return true;
    }

    private void Advance(int bytes)
    {
        _expected += bytes;
        _unanswered += bytes;
        BytesFromGuest += bytes;
        _stack.Counters.BytesIn += (ulong)bytes;
    }

    /// <summary>Keeps what came behind a gap.</summary>
    private void KeepAhead(SequenceNumber start, ReadOnlySpan<byte> bytes)
    {
        _stack.Counters.OutOfOrder++;
        if (bytes.Length == 0)
            return;
        ReceiveBuffer buffer = Buffer();
        SequenceNumber end = start + bytes.Length;
        if (buffer.TryWrite(buffer.Pending + (start - _expected), bytes, _stack.ReceiveBlocks) && buffer.Ahead.Add(start, end))
        {
            buffer.Latest = new SackBlock(start, end);
        }
        else
        {
            _stack.Counters.NoBuffer++;
            DropBufferIfEmpty();
        }
    }

    /// <summary>A gap was filled: what lay behind it is in order.</summary>
    private void JoinAhead(long now)
    {
        if (_receiving is not { Ahead.Count: > 0 } buffer)
            return;
        // Usually one part: more when what came reaches over several.
        while (buffer.Ahead.Count > 0 && buffer.Ahead[0].Start <= _expected)
        {
            SequenceNumber end = buffer.Ahead[0].End;
            int more = end - _expected;
            buffer.Ahead.RemoveBefore(end);
            if (more <= 0)
                continue;
            buffer.Extend(more);
            Advance(more);
        }
        PassPending(now);
    }

    /// <summary>Gives the stream what it did not take before.</summary>
    private void PassPending(long now)
    {
        while (_receiving is { Pending: > 0 } buffer && !Has(Flags.StreamBlocked) && !Has(Flags.StreamReleased))
        {
            ReadOnlySpan<byte> bytes = buffer.Peek();
            int taken = Write(bytes);
            if (taken < 0)
            {
                Abort(TcpEnd.Broken);
                return;
            }
            buffer.Take(taken, _stack.ReceiveBlocks);
            if (taken < bytes.Length)
                _flags |= Flags.StreamBlocked;
        }
        DropBufferIfEmpty();
        if (Has(Flags.GuestEnded) && !Has(Flags.GuestEndPassed) && (_receiving is null || _receiving.Pending == 0))
        {
            _flags |= Flags.GuestEndPassed;
            if (!Has(Flags.StreamReleased))
                EndWriting();
            FinishIfDone(now);
        }
    }

    private ReceiveBuffer Buffer()
    {
        if (_receiving is null)
        {
            _receiving = _stack.ReceiveBuffers.TryPop(out ReceiveBuffer? buffer) ? buffer : new ReceiveBuffer();
            _receiving.Begin(_stack.ReceiveWindow);
        }
        return _receiving;
    }

    private void DropBufferIfEmpty()
    {
        if (_receiving is not { IsEmpty: true })
            return;
        ReleaseReceiving(_receiving);
    }

    /// <summary>Bytes that this connection may keep: less when the guest's blocks run short, as what finds no block is lost.</summary>
    private int Allowance => _stack.ReceiveBlocks.InUse * 2 > _stack.ReceiveBlocks.Limit ? Math.Min(TcpStack.LargeBlock, _stack.ReceiveWindow) : _stack.ReceiveWindow;

    /// <summary>The window that the guest may be told: what the stream does not take fills it.</summary>
    private int WindowToOffer() => Math.Max(0, Allowance - (_receiving?.Pending ?? 0));
}
