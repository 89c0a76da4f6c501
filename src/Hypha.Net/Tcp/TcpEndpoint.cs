using Hypha.Net.Ip;
using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>Answers a guest's SYN to somewhere.</summary>
public interface ITcpListener
{
    /// <summary>
    /// Makes a connection, adds it to the endpoint and calls <see cref="TcpConnection.Begin"/>, and then or later <see cref="TcpConnection.Accept"/> or
    /// <see cref="TcpConnection.Refuse"/>; or does nothing, and the guest asks again.
    /// </summary>
    void Open(in FlowKey key, in TcpSegment syn, long now);
}

/// <summary>All TCP connections of one guest: finds whose a segment is, and gives them their turns.</summary>
public sealed class TcpEndpoint : ITcpNetwork, ITurn
{
    private readonly EventLoop _loop;
    private readonly ITcpSender _sender;
    private readonly FlowTable<TcpConnection> _connections = new();
    private readonly Queue<TcpConnection> _turns = new(), _waitingForRoom = new(), _waitingForBuffers = new();
    private readonly int _limit, _openingLimit, _mtu;
    private readonly RoomTimer _roomTimer;
    private readonly bool _paced;
    private TokenBucket _new;
    private bool _queued;

    /// <param name="mtu">Bytes of an IP packet on the guest's link.</param>
    /// <param name="segments">The link takes long segments and cuts them itself.</param>
    /// <param name="limit">Of connections.</param>
    /// <param name="openingLimit">Of connections that are being opened.</param>
    /// <param name="newLimit">Of connections that are begun in a second; null for as many as come.</param>
    public TcpEndpoint(EventLoop loop, ITcpSender sender, int mtu, bool segments, int limit, int openingLimit, int? newLimit = null)
    {
        _loop = loop;
        _sender = sender;
        _mtu = mtu;
        _limit = limit;
        _openingLimit = openingLimit;
        _paced = newLimit is not null;
        _new = new TokenBucket(newLimit ?? 0, newLimit ?? 0);
        _roomTimer = new RoomTimer(this);
        Stack = new TcpStack(this, loop.Timers, mtu, segments);
    }

    public TcpStack Stack { get; }

    public int Count => _connections.Count;

    /// <summary>Connections that are not open yet.</summary>
    public int Opening { get; private set; }

    /// <summary>Connections that were not begun since the guest has as many as it may.</summary>
    public ulong OverLimit { get; private set; }

    public ulong OpenedCount { get; private set; }

    /// <summary>A segment of the guest. Its source is such as it may use.</summary>
    /// <param name="listener">Who answers at its destination; null for nobody: it is refused.</param>
    public void Receive(in FlowKey key, in TcpSegment segment, ITcpListener? listener, long now)
    {
        if (_connections.TryFind(key, out TcpConnection? connection) && !connection.TryReplace(segment))
        {
            connection.Receive(segment, now);
            return;
        }
        const TcpFlags kinds = TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst | TcpFlags.Fin;
        if ((segment.Flags & kinds) == TcpFlags.Syn && listener is not null)
        {
            if (MayBegin())
                listener.Open(key, segment, now);
            else if (_connections.Count >= _limit)
                Reset(key, segment); // nothing says that it would be taken later: who asks shall know
        }
        else if ((segment.Flags & TcpFlags.Rst) == 0)
        {
            Reset(key, segment);
        }
    }

    /// <summary>All connections, as they were when it was called.</summary>
    public TcpConnection[] Snapshot() => _connections.Snapshot();

    public bool Has(in FlowKey key) => _connections.TryFind(key, out _);

    /// <summary>Whether there may be another connection; if not, it is counted.</summary>
    public bool MayBegin()
    {
        if (_connections.Count < _limit && Opening < _openingLimit && (!_paced || _new.TryTake(1, _loop.Now)))
            return true;
        OverLimit++;
        return false;
    }

    /// <param name="connection">None with its key is there; it is opening.</param>
    public void Add(TcpConnection connection)
    {
        _connections.Add(connection);
        Opening++;
    }

    /// <summary>Resets all connections: the guest or the gateway goes.</summary>
    public void Close()
    {
        foreach (TcpConnection connection in _connections.Snapshot())
            connection.Abort(TcpEnd.Broken);
        _loop.Timers.Clear(_roomTimer);
    }

    /// <summary>The link has room again.</summary>
    public void RoomAgain(long now)
    {
        for (int left = _waitingForRoom.Count; left > 0; left--)
        {
            int before = _waitingForRoom.Count;
            _waitingForRoom.Dequeue().RoomAgain(now);
            if (_waitingForRoom.Count == before)
                break; // it waits again: there is no room for the others either
        }
        if (_waitingForRoom.Count > 0)
            _roomTimer.Set(now);
    }

    bool ITcpSender.TrySendTcp(in FlowKey key, SequenceNumber sequence, SequenceNumber acknowledgment, TcpFlags flags, ushort window, ReadOnlySpan<byte> options,
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, int segmentSize) =>
        _sender.TrySendTcp(key, sequence, acknowledgment, flags, window, options, first, second, segmentSize);

    void ITcpNetwork.Opened(TcpConnection connection)
    {
        Opening--;
        OpenedCount++;
    }

    void ITcpNetwork.Removed(TcpConnection connection, bool wasOpen)
    {
        if (!wasOpen)
            Opening--;
        _connections.Remove(connection);
    }

    void ITcpNetwork.AtTurnEnd(TcpConnection connection)
    {
        _turns.Enqueue(connection);
        Queue();
    }

    void ITcpNetwork.WaitForRoom(TcpConnection connection)
    {
        if (_waitingForRoom.Count == 0)
            _roomTimer.Set(_loop.Now);
        _waitingForRoom.Enqueue(connection);
    }

    void ITcpNetwork.WaitForBuffers(TcpConnection connection) => _waitingForBuffers.Enqueue(connection);

    void ITcpNetwork.BuffersFreed()
    {
        if (_waitingForBuffers.Count > 0)
            Queue();
    }

    /// <summary>Connections have their turns as far as the guest's share goes; the rest has them in the loop's next, in the order in which they came.</summary>
    void ITurn.Turn(long now)
    {
        _queued = false;
        var share = _loop.Shares.Begin();
        for (int left = _turns.Count; left > 0 && !share.IsOver; left--)
            _turns.Dequeue().Turn(now);
        // Once buffers are back, so have those who wait for them.
        for (int left = _waitingForBuffers.Count; left > 0 && HasBuffers && !share.IsOver; left--)
            _waitingForBuffers.Dequeue().BuffersAgain(now);
        if (_turns.Count > 0 || (_waitingForBuffers.Count > 0 && HasBuffers))
            Queue();
    }

    private bool HasBuffers => Stack.SendBlocks.InUse < Stack.SendBlocks.Limit;

    private void Queue()
    {
        if (_queued)
            return;
        _queued = true;
        _loop.AtTurnEnd(this);
    }

    /// <summary>RFC 9293 3.10.7.1: what belongs to no connection is told so.</summary>
    private void Reset(in FlowKey key, in TcpSegment segment)
    {
        if ((segment.Flags & TcpFlags.Ack) != 0)
            _sender.TrySendTcp(key, segment.Acknowledgment, default, TcpFlags.Rst, 0, default, default, default, _mtu);
        else
            _sender.TrySendTcp(key, default, segment.Sequence + segment.SequenceLength, TcpFlags.Rst | TcpFlags.Ack, 0, default, default, default, _mtu);
    }

    /// <summary>A link tells when its own queue has room; not when the interface's had none (ENOBUFS), so that is tried again soon.</summary>
    private sealed class RoomTimer(TcpEndpoint endpoint) : Loop.Timer
    {
        private const long Soon = 2 * MonotonicClock.Millisecond;

        public void Set(long now) => endpoint._loop.Timers.Set(this, now + Soon);

        protected internal override void Expire(long now) => endpoint.RoomAgain(now);
    }
}
