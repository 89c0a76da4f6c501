using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>Segments that leave (RFC 9293 3.8).</summary>
public abstract partial class TcpConnection
{
    private const int BytesPerTurn = 256 * 1024; // of one connection, before others have theirs

    /// <summary>Sends what can be sent now; called at the end of a turn of the loop.</summary>
    public void Turn(long now)
    {
        _flags &= ~Flags.Queued;
        SendAll(now);
    }

    private void SendAll(long now)
    {
        switch (State)
        {
            case TcpState.Closed or TcpState.Connecting:
                return;
            case TcpState.SynSent or TcpState.SynReceived:
                if (Has(Flags.AcknowledgeNow))
                    SendSyn(now);
                return;
        }
        Output(now);
        if (State == TcpState.Closed)
            return;
        if (Has(Flags.AcknowledgeNow))
            SendAcknowledgment(now);
        SettleTimers(now);
    }

    /// <summary>The link has room again.</summary>
    internal void RoomAgain(long now)
    {
        _flags &= ~Flags.WaitingForRoom;
        SendAll(now); // not as its turn: it may be queued for that still
    }

    /// <summary>There are buffers again.</summary>
    internal void BuffersAgain(long now)
    {
        _flags &= ~Flags.WaitingForBuffers;
        SendAll(now);
    }

    private void Output(long now)
    {
        while (_sending is not null && Resend(now))
        {
        }
        if (Has(Flags.WaitingForRoom))
            return;
        if (State is TcpState.Established or TcpState.CloseWait)
        {
            for (int sent = 0, more; (more = SendNew(now)) > 0;)
            {
                sent += more;
                if (sent >= BytesPerTurn)
                {
                    Queue();
                    break;
                }
            }
        }
        if (State is TcpState.Established or TcpState.CloseWait && Has(Flags.StreamEnded) && Unsent == 0)
            SendFin(now);
    }

    /// <summary>Bytes that were taken from the stream and have not gone out.</summary>
    private int Unsent => _sending is null || Has(Flags.FinSent) ? 0 : _sending.Length - InFlight;

    /// <summary>Sends new data once.</summary>
    /// <returns>Bytes; 0 when there is no more to do now.</returns>
    private int SendNew(long now)
    {
        int flight = InFlight;
        // RFC 5681 4.1: after a silence nobody knows what the path bears.
        if (flight == 0 && now - _lastHeard > _roundTrip.TimeOut)
            _congestionWindow = Math.Min(_congestionWindow, InitialWindow);
        int room = Math.Min(_sendWindow - flight, Math.Min(_congestionWindow - Pipe(), _stack.SendLimit - flight));
        int unsent = Unsent;
        if (room <= 0)
            return 0;
        // RFC 9293 3.8.6.2.1, MUST-38: no silly small segments into a silly small window, before that was waited for.
        if (flight == 0 && _sendWindow < LeastWindow && !Has(Flags.SendLittle))
            return 0;
        // Few long segments rather than many short ones: acknowledgments under way will make more room.
        if (unsent == 0 && flight > 0 && room < Math.Min(16 * _segmentSize, Math.Min(_congestionWindow, _largestSendWindow) / 2))
            return 0;
        // Twice: what is left of a block, and a new one.
        for (int i = 0; i < 2 && unsent < Math.Min(room, _stack.LargestPayload(_segmentSize)) && Has(Flags.StreamReadable) && !Has(Flags.StreamEnded); i++)
        {
            int wanted = Whole(Math.Min(room, TcpStack.LongestPayload)) - unsent;
            int got = wanted > 0 ? Fill(wanted) : 0;
            if (State == TcpState.Closed)
                return 0;
            if (got == 0)
                break;
            unsent += got;
        }
        if (unsent == 0)
            return 0;
        int length = Math.Min(Math.Min(unsent, room), _stack.LargestPayload(_segmentSize));
        // Nor because the window is nearly full.
        if (length < unsent && length < _segmentSize && flight > 0)
            return 0;
        length = _sending!.Peek(flight, length < unsent ? Whole(length) : length, out ReadOnlySpan<byte> first, out ReadOnlySpan<byte> second);
        if (!TrySend(_next, TcpFlags.Ack | (length == unsent ? TcpFlags.Psh : 0), first, second, now))
            return 0;
        _next += length;
        _flags &= ~Flags.SendLittle;
        if (!Has(Flags.Timestamps) && _sending.TimedAt == 0)
        {
            _sending.TimedAt = now;
            _sending.TimedEnd = _next;
        }
        if (_resendAt == long.MaxValue)
            _resendAt = now + _roundTrip.TimeOut;
        return length;
    }

    private int LeastWindow => Math.Min(_segmentSize, _largestSendWindow / 2);

    private int Whole(int length) => length > _segmentSize ? length - length % _segmentSize : length;

    /// <summary>Takes data from the stream.</summary>
    /// <returns>Bytes; 0 when there is none, or its end.</returns>
    private int Fill(int wanted)
    {
        SendQueue sending = _sending ?? NewQueue();
        Span<byte> room = sending.Room();
        byte[]? block = null;
        if (room.IsEmpty)
        {
            block = _stack.SendBlocks.Rent();
            if (block is null)
            {
                if (!Has(Flags.WaitingForBuffers))
                {
                    _flags |= Flags.WaitingForBuffers;
                    _stack.Network.WaitForBuffers(this);
                }
                if (InFlight == 0 && sending.Length == 0)
                    ReleaseSending();
                return 0;
            }
            room = block;
        }
        if (room.Length > wanted)
            room = room[..wanted];
        int got = Read(room);
        if (got < room.Length && !EndExpected || got <= 0)
            _flags &= ~Flags.StreamReadable;
        if (got > 0)
        {
            if (block is null)
                sending.Extend(got);
            else
                sending.Append(Shrunk(block, got), got);
            return got;
        }
        if (block is not null)
            _stack.ReturnSendBlock(block);
        if (got == 0)
            _flags |= Flags.StreamEnded;
        else if (got != NothingYet)
            Abort(TcpEnd.Broken);
        if (_sending is { Length: 0 } && InFlight == 0)
            ReleaseSending();
        return 0;
    }

    /// <summary>The stream's end is at hand: a read that gave less than asked for was not the last.</summary>
    protected virtual bool EndExpected => false;

    private SendQueue NewQueue()
    {
        _sending = _stack.SendQueues.TryPop(out SendQueue? queue) ? queue : new SendQueue();
        _sending.Begin(_next);
        return _sending;
    }

    /// <summary>Little data shall not hold a large block.</summary>
    private byte[] Shrunk(byte[] block, int length)
    {
        if (length > TcpStack.SmallBlock || _stack.SmallSendBlocks.Rent() is not { } small)
            return block;
        block.AsSpan(0, length).CopyTo(small);
        _stack.ReturnSendBlock(block);
        return small;
    }

    /// <summary>Sends the first lost data again that has not been sent again yet (RFC 6675 4, NextSeg() rules 1 and 3).</summary>
    /// <returns>Whether something was sent.</returns>
    private bool Resend(long now)
    {
        SendQueue sending = _sending!;
        SequenceNumber start = Later(sending.Resent, _unacknowledged);
        SequenceNumber end = sending.LossEdge;
        for (int i = 0; i < sending.Sacked.Count; i++)
        {
            SackBlock block = sending.Sacked[i];
            if (block.Start <= start && start < block.End)
                start = block.End;
            else if (block.Start > start && block.Start < end)
                end = block.Start;
        }
        if (start >= end)
            return false;
        int pipe = Pipe();
        int room = _congestionWindow - pipe;
        bool first = start == _unacknowledged;
        if (room < _segmentSize)
        {
            if (!first && pipe > 0)
                return false;
            room = _segmentSize;
        }
        int offset = start - _unacknowledged;
        int length = Math.Min(Math.Min(end - start, Whole(room)), _stack.LargestPayload(_segmentSize));
        int wanted = Math.Min(length, sending.Length - offset);
        int data = sending.Peek(offset, wanted, out ReadOnlySpan<byte> one, out ReadOnlySpan<byte> two);
        bool fin = wanted < length && data == wanted; // it comes after all data, of which there may be more than lies in two blocks
        length = data + (fin ? 1 : 0);
        if (length == 0 || !TrySend(start, TcpFlags.Ack | (fin ? TcpFlags.Fin : 0), one, two, now))
            return false;
        _stack.Counters.Retransmissions++;
        sending.TimedAt = 0; // Karn: what was sent twice measures nothing
        sending.Resent = start + length;
        if (first || _resendAt == long.MaxValue)
            _resendAt = now + _roundTrip.TimeOut;
        return true;
    }

    private void SendFin(long now)
    {
        // It takes a place in the window, too: a guest may drop what comes behind.
        if (_sendWindow <= InFlight || !TrySend(_next, TcpFlags.Ack | TcpFlags.Fin, default, default, now))
            return;
        if (_sending is null)
            NewQueue(); // what is lost may be the FIN
        _next += 1;
        _flags |= Flags.FinSent;
        State = State == TcpState.CloseWait ? TcpState.LastAck : TcpState.FinWait1;
        if (_resendAt == long.MaxValue)
            _resendAt = now + _roundTrip.TimeOut;
    }

    private void SendAcknowledgment(long now) => TrySend(_next, TcpFlags.Ack, default, default, now);

    private bool TrySend(SequenceNumber sequence, TcpFlags flags, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, long now)
    {
        var options = new TcpOptions();
        if (Has(Flags.Timestamps))
            Stamp(ref options, now);
        if (first.IsEmpty && Has(Flags.SelectiveAcknowledgment) && _receiving is { Ahead.Count: > 0 } receiving)
            Tell(receiving, ref options);
        Span<byte> bytes = stackalloc byte[TcpOptions.MaximumSize];
        int length = options.Write(bytes);
        int window = Math.Min(Math.Max(WindowToOffer(), _advertised - _expected) >> _receiveShift, ushort.MaxValue);
        if (!_stack.Network.TrySendTcp(Key, sequence, _expected, flags, (ushort)window, bytes[..length], first, second, _segmentSize))
        {
            WaitForRoom();
            return false;
        }
        _stack.Counters.SegmentsOut++;
        _advertised = Later(_advertised, _expected + (window << _receiveShift));
        _flags &= ~Flags.AcknowledgeNow;
        _acknowledgeAt = long.MaxValue;
        _unanswered = 0;
        return true;
    }

    private void WaitForRoom()
    {
        if (Has(Flags.WaitingForRoom))
            return;
        _flags |= Flags.WaitingForRoom;
        _stack.Network.WaitForRoom(this);
    }

    /// <summary>RFC 2018 4: the part that grew last comes first.</summary>
    private static void Tell(ReceiveBuffer receiving, ref TcpOptions options)
    {
        int latest = 0;
        for (int i = 0; i < receiving.Ahead.Count; i++)
        {
            if (receiving.Ahead[i].Start <= receiving.Latest.Start && receiving.Latest.End <= receiving.Ahead[i].End)
                latest = i;
        }
        options.Add(receiving.Ahead[latest]);
        for (int i = 0; i < receiving.Ahead.Count && options.BlockCount < TcpOptions.MaximumBlocks; i++)
        {
            if (i != latest)
                options.Add(receiving.Ahead[i]);
        }
    }

    private void SendSyn(long now)
    {
        bool answer = State == TcpState.SynReceived;
        var options = new TcpOptions { SegmentSize = (ushort)LargestSegment, SackPermitted = Has(Flags.SelectiveAcknowledgment) };
        if (Has(Flags.WindowScaling))
            options.WindowShift = answer ? _receiveShift : ShiftFor(_stack.ReceiveWindow);
        if (Has(Flags.Timestamps))
            Stamp(ref options, now);
        Span<byte> bytes = stackalloc byte[TcpOptions.MaximumSize];
        int length = options.Write(bytes);
        int window = Math.Min(_stack.ReceiveWindow, ushort.MaxValue); // RFC 7323 2.2: not scaled
        _flags &= ~Flags.AcknowledgeNow;
        _next = _unacknowledged + 1;
        if (answer)
            _advertised = Later(_advertised, _expected + window);
        if (_stack.Network.TrySendTcp(Key, _unacknowledged, answer ? _expected : default, answer ? TcpFlags.Syn | TcpFlags.Ack : TcpFlags.Syn, (ushort)window,
            bytes[..length], default, default, _segmentSize))
        {
            _stack.Counters.SegmentsOut++;
        }
        else
        {
            _flags |= Flags.AcknowledgeNow;
            WaitForRoom();
        }
        _resendAt = now + _roundTrip.TimeOut;
        SettleTimers(now);
    }

    private void SendReset(SequenceNumber sequence, TcpFlags acknowledgment)
    {
        _stack.Counters.ResetsOut++;
        _stack.Network.TrySendTcp(Key, sequence, acknowledgment == 0 ? default : _expected, TcpFlags.Rst | acknowledgment, 0, default, default, default, _segmentSize);
    }

    /// <summary>RFC 7323 4: milliseconds, from a beginning that nobody can guess.</summary>
    private uint Stamp(long now) => (uint)(now / MonotonicClock.Millisecond) + _stampOffset;

    private void Stamp(ref TcpOptions options, long now)
    {
        options.HasTimestamps = true;
        options.TimestampValue = Stamp(now);
        options.TimestampEcho = _recentStamp;
    }
}
