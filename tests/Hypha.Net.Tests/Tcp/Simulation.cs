using Hypha.Net.Loop;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

/// <summary>Time, chance and what is to happen, for two ends and a link that a seed makes bad.</summary>
internal sealed class Simulation(int seed)
{
    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private long _order;

    public Random Random { get; } = new(seed);

    public long Now { get; private set; } = 77_000_000_123;

    public TimerWheel Timers { get; } = new(77_000_000_123);

    public void In(long microseconds, Action action) => _events.Enqueue(action, (Now + microseconds, _order++));

    /// <returns>Whether it came to that before the time was over.</returns>
    public bool RunUntil(Func<bool> done, long limit)
    {
        long end = Now + limit;
        while (!done())
        {
            bool any = _events.TryPeek(out _, out (long At, long) first);
            long next = Math.Min(any ? first.At : long.MaxValue, Timers.NextAdvance);
            if (next > end)
                return false;
            Now = Math.Max(Now, next);
            Timers.Advance(Now);
            while (_events.TryPeek(out _, out first) && first.At <= Now)
                _events.Dequeue()();
        }
        return true;
    }

    public bool Chance(double probability) => Random.NextDouble() < probability;
}

/// <summary>One direction of a link: loses, doubles, delays (and so reorders) and corrupts.</summary>
internal sealed class BadLink(Simulation simulation, FlowKey receiver, Action<byte[]> deliver)
{
    private readonly double _loss = Pick(simulation, 0, 0, 0.01, 0.05, 0.12), _double = Pick(simulation, 0, 0.02, 0.1), _corrupt = Pick(simulation, 0, 0, 0.03),
        _full = Pick(simulation, 0, 0, 0, 0.1, 0.4);
    private readonly int _delay = (int)Pick(simulation, 20, 200, 5_000, 40_000), _jitter = (int)Pick(simulation, 0, 10, 3_000, 30_000);
    private int _lostSyns;

    public bool IsFull => simulation.Chance(_full);

    public void Send(SegmentCopy segment)
    {
        foreach (SegmentCopy one in segment.Cut())
        {
            if (simulation.Chance(_loss) && (!one.Has(TcpFlags.Syn) || _lostSyns++ < 2))
                continue;
            byte[] bytes = one.Bytes(receiver.Remote, receiver.RemotePort, receiver.Guest, receiver.GuestPort);
            if (simulation.Chance(_corrupt) && !one.Has(TcpFlags.Syn))
                bytes[simulation.Random.Next(bytes.Length)] ^= (byte)(1 << simulation.Random.Next(8));
            for (int copies = simulation.Chance(_double) ? 2 : 1; copies > 0; copies--)
                simulation.In(_delay + simulation.Random.Next(_jitter + 1), () => deliver(bytes));
        }
    }

    private static double Pick(Simulation simulation, params double[] values) => values[simulation.Random.Next(values.Length)];
}

/// <summary>A <see cref="TestConnection"/> at an end of a <see cref="BadLink"/>, and what a program does with its stream.</summary>
internal sealed class ConnectionEnd : ITcpNetwork
{
    private readonly Simulation _simulation;
    private readonly Queue<TcpConnection> _room = new(), _buffers = new();
    private readonly int _length;
    private int _given;
    private bool _retrying, _accepting;

    /// <param name="key">Its <see cref="FlowKey.Guest"/> is the other end.</param>
    public ConnectionEnd(Simulation simulation, FlowKey key, int length)
    {
        _simulation = simulation;
        _length = length;
        Key = key;
        int mtu = simulation.Random.Next(4) switch { 0 => 576, 1 => 9_000, _ => 1_500 };
        int window = simulation.Random.Next(4) switch { 0 => 3_000, 1 => 65_536, 2 => 100_001, _ => 1 << 20 };
        bool poor = simulation.Chance(0.2);
        Stack = new TcpStack(this, simulation.Timers, mtu, segments: simulation.Chance(0.5))
        {
            ReceiveWindow = window,
            SendBlocks = new BlockPool(TcpStack.LargeBlock, poor ? simulation.Random.Next(1, 3) : 160),
            SmallSendBlocks = new BlockPool(TcpStack.SmallBlock, poor ? simulation.Random.Next(2) : 2_048),
            ReceiveBlocks = new BlockPool(TcpStack.LargeBlock, poor ? simulation.Random.Next(3) : 128),
        };
        Connection = new TestConnection(Stack, key) { Room = simulation.Chance(0.5) ? int.MaxValue : 0 };
    }

    public FlowKey Key { get; }

    public TcpStack Stack { get; }

    public TestConnection Connection { get; }

    public BadLink Link { get; set; } = null!;

    public int Opening { get; private set; } = 1;

    public bool IsRemoved { get; private set; }

    public void Open()
    {
        Connection.Open(_simulation.Now);
        Act();
    }

    public void Deliver(byte[] bytes)
    {
        if (TcpSegment.TryParse(bytes, Key.Guest, Key.Remote, out TcpSegment segment) != WireFault.None)
            return; // corrupted on its way
        if (IsRemoved)
        {
            if ((segment.Flags & TcpFlags.Rst) == 0)
                Link.Send(new SegmentCopy(segment.Acknowledgment, default, TcpFlags.Rst, 0, [], []));
            return;
        }
        if (Connection.State == TcpState.Connecting && !_accepting)
        {
            if ((segment.Flags & (TcpFlags.Syn | TcpFlags.Ack)) != TcpFlags.Syn)
                return;
            _accepting = true;
            Connection.Begin(segment, _simulation.Now);
            _simulation.In(_simulation.Random.Next(2_000), () =>
            {
                if (Connection.State == TcpState.Connecting)
                    Connection.Accept(_simulation.Now);
            });
            Act();
            return;
        }
        Connection.Receive(segment, _simulation.Now);
    }

    /// <summary>The program writes some, reads some, and does so again.</summary>
    private void Act()
    {
        if (IsRemoved)
            return;
        Random random = _simulation.Random;
        if (_given <= _length && random.Next(3) > 0)
        {
            int more = Math.Min(_length - _given, random.Next(3) == 0 ? random.Next(100) : random.Next(40_000));
            if (more > 0)
                Connection.Give(Scene.Bytes(more, _given));
            _given += more;
            if (_given == _length && random.Next(2) == 0)
            {
                Connection.GiveEnd();
                _given++;
            }
        }
        if (Connection.Room != int.MaxValue && Connection.Released is null && random.Next(2) == 0)
            Connection.Take(random.Next(3) == 0 ? random.Next(50) : random.Next(60_000), _simulation.Now);
        _simulation.In(random.Next(4) == 0 ? random.Next(300_000) : random.Next(3_000), Act);
    }

    bool ITcpSender.TrySendTcp(in FlowKey key, SequenceNumber sequence, SequenceNumber acknowledgment, TcpFlags flags, ushort window, ReadOnlySpan<byte> options,
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, int segmentSize)
    {
        if (Link.IsFull)
            return false;
        Link.Send(new SegmentCopy(sequence, acknowledgment, flags, window, options.ToArray(), [.. first, .. second], segmentSize));
        return true;
    }

    void ITcpNetwork.Opened(TcpConnection connection) => Opening--;

    void ITcpNetwork.Removed(TcpConnection connection, bool wasOpen)
    {
        Assert.False(IsRemoved);
        IsRemoved = true;
        if (!wasOpen)
            Opening--;
    }

    void ITcpNetwork.AtTurnEnd(TcpConnection connection) => _simulation.In(0, () => connection.Turn(_simulation.Now));

    void ITcpNetwork.WaitForRoom(TcpConnection connection)
    {
        Assert.Empty(_room);
        _room.Enqueue(connection);
        if (!_retrying)
            _simulation.In(500, RoomAgain);
        _retrying = true;
    }

    void ITcpNetwork.WaitForBuffers(TcpConnection connection)
    {
        Assert.Empty(_buffers);
        _buffers.Enqueue(connection);
    }

    void ITcpNetwork.BuffersFreed()
    {
        if (_buffers.TryDequeue(out TcpConnection? connection))
            _simulation.In(0, () => connection.BuffersAgain(_simulation.Now));
    }

    private void RoomAgain()
    {
        _retrying = false;
        if (_room.TryDequeue(out TcpConnection? connection))
            connection.RoomAgain(_simulation.Now);
    }
}
