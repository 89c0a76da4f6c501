using Hypha.Linux;
using Hypha.Net.Gateway;
using Hypha.Net.Loop;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>
/// A guest's TCP to the outside: each connection is a socket of the host. The guest's SYN is answered once that socket is connected, so that
/// refused stays refused, and unreachable unreachable.
/// </summary>
public sealed class TcpNat : ITcpNetwork, ITurn
{
    private readonly GuestOutput _output;
    private readonly IUnreachable _unreachable;
    private readonly NatLimits _limits;
    private readonly FlowTable<TcpFlow> _flows = new();
    private readonly TcpStack _stack;
    private readonly Queue<TcpConnection> _waitingForRoom = new(), _waitingForBuffers = new();
    private bool _queued;

    public TcpNat(EventLoop loop, GuestOutput output, IUnreachable unreachable, NatLimits limits, bool segments)
    {
        Loop = loop;
        _output = output;
        _unreachable = unreachable;
        _limits = limits;
        _stack = new TcpStack(this, loop.Timers, output.Mtu, segments);
    }

    public EventLoop Loop { get; }

    public int Count => _flows.Count;

    /// <summary>Connections that are not open yet.</summary>
    public int HalfOpen { get; private set; }

    public ref readonly TcpCounters Counters => ref _stack.Counters;

    public NatCounters Flows;

    /// <summary>A segment of the guest. Its addresses are such as it may use, its destination such as it may reach.</summary>
    public void Receive(in FlowKey key, in TcpSegment segment, bool mayOpen, long now)
    {
        if (_flows.TryFind(key, out TcpFlow? flow) && !flow.TryReplace(segment))
        {
            flow.Receive(segment, now);
            return;
        }
        TcpFlags kind = segment.Flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst | TcpFlags.Fin);
        if (kind != TcpFlags.Syn)
        {
            if ((kind & TcpFlags.Rst) == 0)
                Reset(key, segment);
            return;
        }
        if (mayOpen)
            Connect(key, segment, now);
        else
            Reset(key, segment);
    }

    /// <summary>Opens a connection to the guest for one that the host accepted.</summary>
    /// <param name="key">The remote part is of an address that the gateway speaks for.</param>
    /// <param name="socket">Becomes this object's, also when nothing comes of it.</param>
    public bool TryOpen(in FlowKey key, RawSocket socket, long now)
    {
        if (_flows.TryFind(key, out _) || !MayBegin())
        {
            socket.Abort();
            return false;
        }
        if (NewFlow(key, socket) is not { } flow)
            return false;
        flow.Open(now);
        return true;
    }

    /// <summary>Resets all connections: the guest or the gateway goes.</summary>
    public void Close()
    {
        foreach (TcpFlow flow in _flows.Snapshot())
            flow.Abort(TcpEnd.Broken);
    }

    /// <summary>The link has room again.</summary>
    public void RoomAgain()
    {
        for (int left = _waitingForRoom.Count; left > 0; left--)
            _waitingForRoom.Dequeue().Turn(Loop.Now);
    }

    bool ITcpNetwork.TrySend(in FlowKey key, SequenceNumber sequence, SequenceNumber acknowledgment, TcpFlags flags, ushort window, ReadOnlySpan<byte> options,
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, int segmentSize) =>
        _output.TrySendTcp(key, sequence, acknowledgment, flags, window, options, first, second, segmentSize);

    void ITcpNetwork.AtTurnEnd(TcpConnection connection) => Loop.AtTurnEnd(connection);

    void ITcpNetwork.WaitForRoom(TcpConnection connection) => _waitingForRoom.Enqueue(connection);

    void ITcpNetwork.WaitForBuffers(TcpConnection connection)
    {
        _waitingForBuffers.Enqueue(connection);
        if (_queued)
            return;
        _queued = true;
        Loop.AtTurnEnd(this);
    }

    /// <summary>Buffers came back: those who wait have their turn, in the order in which they came.</summary>
    void ITurn.Turn(long now)
    {
        _queued = false;
        for (int left = _waitingForBuffers.Count; left > 0 && _stack.SendBlocks.InUse < _stack.SendBlocks.Limit; left--)
            _waitingForBuffers.Dequeue().Turn(now);
    }

    internal void Opened()
    {
        HalfOpen--;
        Flows.Opened++;
    }

    internal void Refuse(TcpFlow flow, Errno error, long now)
    {
        Flows.Failed++;
        flow.Refuse(reset: !_unreachable.Tell(flow.Key, IpProtocol.Tcp, flow.FirstSequence, error, now));
    }

    internal void Remove(TcpFlow flow, bool wasOpen)
    {
        if (!wasOpen)
            HalfOpen--;
        _flows.Remove(flow);
        Flows.Closed++;
    }

    private void Connect(in FlowKey key, in TcpSegment syn, long now)
    {
        if (!MayBegin())
            return;
        RawSocket socket = RawSocket.Open(HostAddress.Family(key.Remote), RawSocket.Stream);
        if (!socket.IsOpen)
        {
            // EMFILE, ENFILE, ENOBUFS: the host's want, not the destination's. The guest asks again.
            Flows.NoDescriptor++;
            return;
        }
        socket.SetOption(SocketOption.Tcp, SocketOption.NoDelay, 1);
        socket.SetOption(SocketOption.Socket, SocketOption.KeepAlive, 1);
        Span<byte> address = stackalloc byte[HostAddress.MaximumSize];
        int result = socket.Connect(HostAddress.Write(address, key.Remote, key.RemotePort));
        if (NewFlow(key, socket) is not { } flow)
            return;
        flow.Begin(syn, now);
        if (result != 0 && -result != (int)Errno.EINPROGRESS)
            Refuse(flow, (Errno)(-result), now);
    }

    private TcpFlow? NewFlow(in FlowKey key, RawSocket socket)
    {
        TcpFlow flow;
        try
        {
            flow = new TcpFlow(this, _stack, key, socket);
        }
        catch (LinuxException)
        {
            Flows.NoDescriptor++;
            socket.Abort();
            return null;
        }
        _flows.Add(flow);
        HalfOpen++;
        return flow;
    }

    private bool MayBegin()
    {
        if (_flows.Count < _limits.TcpFlows && HalfOpen < _limits.TcpHalfOpen)
            return true;
        Flows.OverLimit++;
        return false;
    }

    /// <summary>RFC 9293 3.10.7.1: what belongs to no connection is told so.</summary>
    private void Reset(in FlowKey key, in TcpSegment segment)
    {
        if ((segment.Flags & TcpFlags.Ack) != 0)
            _output.TrySendTcp(key, segment.Acknowledgment, default, TcpFlags.Rst, 0, default, default, default, _output.Mtu);
        else
            _output.TrySendTcp(key, default, segment.Sequence + segment.SequenceLength, TcpFlags.Rst | TcpFlags.Ack, 0, default, default, default, _output.Mtu);
    }
}
