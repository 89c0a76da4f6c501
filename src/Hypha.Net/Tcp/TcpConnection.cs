using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>
/// One connection with a guest: our end of it (RFC 9293), joined to a stream that whoever derives from this gives, a host's socket for one. Data is
/// passed on as it comes; what the guest has not acknowledged is kept in blocks that are shared by all connections. An idle
/// connection holds this object and nothing else.
/// </summary>
/// <remarks>
/// A state machine without clock or sockets: it is told of segments, of the stream's events and of the time. What it sends goes out in
/// <see cref="Turn"/>, after all that is at hand has been looked at, so that one acknowledgment answers many segments.
/// </remarks>
public abstract partial class TcpConnection : Loop.Timer, IFlow
{
    private readonly TcpStack _stack;
    private SendQueue? _sending;
    private ReceiveBuffer? _receiving;

    // Send sequence space (RFC 9293 3.3.1)
    private SequenceNumber _unacknowledged, _next, _windowSegment, _windowAcknowledgment;
    private int _sendWindow, _largestSendWindow;
    private int _congestionWindow, _slowStartThreshold = int.MaxValue;
    private ushort _segmentSize;
    private byte _sendShift, _receiveShift;

    // Receive sequence space
    private SequenceNumber _expected, _advertised;
    private int _unanswered; // bytes received since the last acknowledgment was sent

    // RFC 7323: the guest's latest timestamp, and where ours begin
    private uint _recentStamp, _stampOffset;

    private RttEstimator _roundTrip;
    private long _resendAt = long.MaxValue, _acknowledgeAt = long.MaxValue, _idleAt = long.MaxValue, _lastHeard;
    private uint _begunAt; // milliseconds
    private byte _retries, _probes;
    private Flags _flags;

    protected TcpConnection(TcpStack stack, in FlowKey key)
    {
        _stack = stack;
        Key = key;
    }

    [Flags]
    private enum Flags : ushort
    {
        Timestamps = 1,
        SelectiveAcknowledgment = 2,
        WindowScaling = 4,
        AcknowledgeNow = 8,
        Queued = 16,
        StreamReadable = 32,
        StreamEnded = 64,           // nothing more comes from the stream
        StreamBlocked = 128,        // the stream took less than it was given
        GuestEnded = 256,           // the guest's FIN was received
        GuestEndPassed = 512,       // and the stream told so
        FinSent = 1024,
        StreamReleased = 2048,
        Opened = 4096,              // the handshake with the guest is done
        WaitingForRoom = 8192,      // on the link
        WaitingForBuffers = 16384,
        SendLittle = 32768,         // a window smaller than a segment has been waited for long enough
    }

    public FlowKey Key { get; }

    public TcpState State { get; private set; }

    /// <summary>While <see cref="TcpState.Connecting"/>: the guest's SYN's.</summary>
    public SequenceNumber FirstSequence => _expected - 1;

    /// <summary>Bytes of the guest that were taken, and bytes that it acknowledged.</summary>
    public long BytesFromGuest { get; private set; }

    public long BytesToGuest { get; private set; }

    /// <summary>Since it began, and since the guest was heard last, in milliseconds.</summary>
    public (uint Age, uint Idle) Times(long now) =>
        ((uint)(now / MonotonicClock.Millisecond) - _begunAt, (uint)(Math.Max(now - _lastHeard, 0) / MonotonicClock.Millisecond));

    /// <summary>Gives the guest's bytes to the stream.</summary>
    /// <returns>How many it took, 0 or more; less than 0 when it is broken.</returns>
    protected abstract int Write(ReadOnlySpan<byte> bytes);

    /// <summary>Takes bytes for the guest from the stream.</summary>
    /// <returns>How many; 0 at the end; <see cref="NothingYet"/>; any other negative number when it is broken.</returns>
    protected abstract int Read(Span<byte> to);

    /// <summary>The guest has sent its last byte, and the stream has it.</summary>
    protected abstract void EndWriting();

    /// <summary>The stream is not needed any more. Called once.</summary>
    protected abstract void Release(TcpEnd end);

    public const int NothingYet = -11; // EAGAIN

    /// <summary>A guest's SYN is kept until the other side has answered: <see cref="Accept"/> or <see cref="Refuse"/>.</summary>
    public void Begin(in TcpSegment syn, long now)
    {
        State = TcpState.Connecting;
        _expected = _advertised = syn.Sequence + 1;
        _sendWindow = _largestSendWindow = syn.Window;
        _windowSegment = syn.Sequence;
        _lastHeard = now;
        _begunAt = (uint)(now / MonotonicClock.Millisecond);
        TcpOptions.Read(syn.Options, out TcpOptions options);
        Negotiate(options, offered: true);
        if (options.HasTimestamps)
            _recentStamp = options.TimestampValue;
    }

    /// <summary>The other side is there: the guest gets its SYN-ACK.</summary>
    public void Accept(long now)
    {
        State = TcpState.SynReceived;
        ChooseSequence(now);
        SendSyn(now);
    }

    /// <summary>The other side is not: a reset, or nothing when an ICMP error was sent instead.</summary>
    public void Refuse(bool reset)
    {
        if (reset)
            SendReset(default, TcpFlags.Ack);
        End(TcpEnd.Broken);
    }

    /// <summary>Opens a connection towards the guest.</summary>
    public void Open(long now)
    {
        State = TcpState.SynSent;
        _lastHeard = now;
        _begunAt = (uint)(now / MonotonicClock.Millisecond);
        _segmentSize = (ushort)LargestSegment;
        _flags |= Flags.Timestamps | Flags.SelectiveAcknowledgment | Flags.WindowScaling;
        ChooseSequence(now);
        SendSyn(now);
    }

    /// <summary>The stream has data, or its end.</summary>
    public void StreamReadable()
    {
        _flags |= Flags.StreamReadable;
        Queue();
    }

    /// <summary>The stream takes data again.</summary>
    public void StreamWritable(long now)
    {
        if ((_flags & Flags.StreamBlocked) == 0)
            return;
        _flags &= ~Flags.StreamBlocked;
        PassPending(now);
        // RFC 9293 3.8.6.2.2: the window has opened enough to say so.
        if (State != TcpState.Closed && WindowToOffer() - (_advertised - _expected) >= Math.Min(Allowance / 4, 2 * _segmentSize))
            AcknowledgeNow();
    }

    /// <summary>The stream was reset by its other end.</summary>
    public void StreamBroken() => Abort(TcpEnd.Broken);

    /// <summary>Ends it for both at once: the guest gets a reset.</summary>
    public void Abort(TcpEnd end)
    {
        if (State is TcpState.Closed)
            return;
        if (State is not TcpState.TimeWait)
            SendReset(_next, TcpFlags.Ack);
        End(end);
    }

    /// <summary>RFC 9293 3.7.1: what fits into the guest's frames.</summary>
    private int LargestSegment => _stack.Mtu - (Key.Guest.IsV4 ? 20 : 40) - TcpSegment.HeaderSize;

    /// <summary>RFC 6928 2.</summary>
    private int InitialWindow => Math.Min(10 * _segmentSize, Math.Max(2 * _segmentSize, 14_600));

    private int InFlight => _next - _unacknowledged;

    private bool Has(Flags flag) => (_flags & flag) != 0;

    private void Negotiate(in TcpOptions options, bool offered)
    {
        if (!offered || !options.HasTimestamps)
            _flags = options.HasTimestamps ? _flags : _flags & ~Flags.Timestamps;
        if (offered)
        {
            if (options.HasTimestamps)
                _flags |= Flags.Timestamps;
            if (options.SackPermitted)
                _flags |= Flags.SelectiveAcknowledgment;
            if (options.WindowShift is not null)
                _flags |= Flags.WindowScaling;
        }
        else
        {
            if (!options.SackPermitted)
                _flags &= ~Flags.SelectiveAcknowledgment;
            if (options.WindowShift is null)
                _flags &= ~Flags.WindowScaling;
        }
        if (Has(Flags.WindowScaling))
        {
            _sendShift = options.WindowShift!.Value;
            _receiveShift = ShiftFor(_stack.ReceiveWindow);
        }
        // RFC 9293 3.7.1: without the option 536, over IPv6 1,220. A tiny one would have us send a storm of headers (CVE-2019-11479).
        int offer = options.SegmentSize ?? (Key.Guest.IsV4 ? 536 : 1_220);
        int size = Math.Min(Math.Max(offer, 64), LargestSegment);
        _segmentSize = (ushort)(Has(Flags.Timestamps) ? size - 12 : size);
        _congestionWindow = InitialWindow;
    }

    private static byte ShiftFor(int window)
    {
        byte shift = 0;
        while (window >> shift > ushort.MaxValue)
            shift++;
        return shift;
    }

    /// <summary>RFC 9293 3.4.1, RFC 6528: a clock and a keyed hash, so that nobody can guess it; likewise where timestamps begin.</summary>
    private void ChooseSequence(long now)
    {
        ulong hash = KeyedHash.OfSecret(Key);
        _unacknowledged = new SequenceNumber((uint)hash + (uint)(now >> 2));
        _next = _unacknowledged;
        _stampOffset = (uint)(hash >> 32);
    }

    private void AcknowledgeNow()
    {
        _flags |= Flags.AcknowledgeNow;
        Queue();
    }

    private void Queue()
    {
        if (Has(Flags.Queued) || State == TcpState.Closed)
            return;
        _flags |= Flags.Queued;
        _stack.Network.AtTurnEnd(this);
    }

    private void End(TcpEnd end)
    {
        if (State == TcpState.Closed)
            return;
        State = TcpState.Closed;
        _stack.Timers.Clear(this);
        ReleaseBuffers();
        ReleaseStream(end);
        _stack.Network.Removed(this, wasOpen: Has(Flags.Opened));
    }

    private void Opened()
    {
        _flags |= Flags.Opened;
        _stack.Network.Opened(this);
    }

    private void ReleaseStream(TcpEnd end)
    {
        if (Has(Flags.StreamReleased))
            return;
        _flags |= Flags.StreamReleased;
        Release(end);
    }

    private void ReleaseBuffers()
    {
        ReleaseSending();
        if (_receiving is not null)
            ReleaseReceiving(_receiving);
    }

    private void ReleaseReceiving(ReceiveBuffer receiving)
    {
        receiving.Clear(_stack.ReceiveBlocks);
        if (_stack.ReceiveBuffers.Count < TcpStack.QueuesKept)
            _stack.ReceiveBuffers.Push(receiving);
        _receiving = null;
    }

    private void ReleaseSending()
    {
        if (_sending is null)
            return;
        _sending.Release(_sending.Length, _stack);
        if (_stack.SendQueues.Count < TcpStack.QueuesKept)
            _stack.SendQueues.Push(_sending);
        _sending = null;
    }
}
