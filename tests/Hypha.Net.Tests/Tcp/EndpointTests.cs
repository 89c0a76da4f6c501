using System.Diagnostics;
using Hypha.Net.Loop;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

public sealed class EndpointTests : IDisposable
{
    private readonly EventLoop _loop = new();
    private readonly Sender _sender = new();
    private readonly Listener _listener = new();
    private readonly TcpEndpoint _endpoint;

    public EndpointTests()
    {
        _endpoint = new TcpEndpoint(_loop, _sender, mtu: 1500, segments: false, limit: 20, openingLimit: 5);
        _listener.Endpoint = _endpoint;
    }

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void A_syn_to_nobody_is_refused_and_what_belongs_to_no_connection_reset_at_its_place()
    {
        Deliver(1, 100, 0, TcpFlags.Syn, listener: null);
        SegmentCopy reset = _sender.Next();
        Assert.Equal(TcpFlags.Rst | TcpFlags.Ack, reset.Flags);
        Assert.Equal(101u, reset.Acknowledgment.Value);
        Deliver(1, 100, 777, TcpFlags.Ack, [1, 2, 3]);
        reset = _sender.Next();
        Assert.Equal(TcpFlags.Rst, reset.Flags);
        Assert.Equal(777u, reset.Sequence.Value);
        Deliver(1, 100, 777, TcpFlags.None, [1, 2, 3]);
        Assert.Equal(103u, _sender.Next().Acknowledgment.Value);
        Deliver(1, 100, 777, TcpFlags.Rst);
        Deliver(1, 100, 777, TcpFlags.Rst | TcpFlags.Syn);
        Assert.Empty(_sender.Sent);
    }

    [Fact]
    public void Only_so_many_connections_open_at_once_and_only_so_many_are_there()
    {
        for (ushort port = 1; port <= 8; port++)
            Deliver(port, 100, 0, TcpFlags.Syn);
        Assert.Equal(5, _endpoint.Opening);
        Assert.Equal(5, _endpoint.Count);
        Assert.Equal(3u, _endpoint.OverLimit);
        // The same again opens nothing twice.
        Deliver(1, 100, 0, TcpFlags.Syn);
        Assert.Equal(5, _endpoint.Count);
        for (ushort port = 1; port <= 30; port++)
            Open(port);
        Assert.Equal(20, _endpoint.Count);
        Assert.Equal(0, _endpoint.Opening);
        Assert.Equal(20u, _endpoint.OpenedCount);
        _endpoint.Close();
        Assert.Equal(0, _endpoint.Count);
        Assert.Equal(0, _endpoint.Opening);
        Assert.Equal(0, _loop.Timers.Count);
        Assert.All(_listener.Connections, c => Assert.Equal(TcpEnd.Broken, c.Released));
    }

    [Fact]
    public void Who_comes_when_there_are_as_many_as_may_be_is_refused_and_the_others_stay()
    {
        for (ushort port = 1; port <= 20; port++)
            Open(port);
        _sender.Sent.Clear();
        Deliver(21, 100, 0, TcpFlags.Syn);
        Assert.Equal(TcpFlags.Rst | TcpFlags.Ack, _sender.Next().Flags);
        Assert.Equal(20, _endpoint.Count);
        Assert.Equal(1u, _endpoint.OverLimit);
    }

    [Fact]
    public void Only_so_many_are_begun_in_a_second_and_who_is_too_many_asks_again()
    {
        var endpoint = new TcpEndpoint(_loop, _sender, mtu: 1500, segments: false, limit: 20, openingLimit: 20, newLimit: 3);
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => endpoint.MayBegin()));
        Assert.Equal(1u, endpoint.OverLimit);
        Assert.Empty(_sender.Sent);
    }

    [Fact]
    public void Connections_that_end_before_they_opened_leave_their_places()
    {
        for (int i = 0; i < 100; i++)
        {
            Deliver(1, 100, 0, TcpFlags.Syn);
            Assert.Equal(1, _endpoint.Opening);
            Deliver(1, 101, 0, TcpFlags.Rst);
            Assert.Equal(0, _endpoint.Opening);
            Assert.Equal(0, _endpoint.Count);
        }
    }

    [Fact]
    public void Those_that_wait_for_room_go_on_in_order_and_none_twice()
    {
        TestConnection[] connections = [.. Enumerable.Range(1, 5).Select(p => Open((ushort)p))];
        _sender.Room = 0;
        for (int i = 0; i < 3; i++)
        {
            foreach (TestConnection connection in connections)
                connection.Give(1, 2, 3);
            Turns();
        }
        _sender.Refused = 0;
        _endpoint.RoomAgain(_loop.Now);
        Assert.Equal(1, _sender.Refused); // the first finds no room, so the rest need not try
        _sender.Room = 2;
        _endpoint.RoomAgain(_loop.Now);
        Assert.Equal(2, _sender.Sent.Count);
        _sender.Room = int.MaxValue;
        _endpoint.RoomAgain(_loop.Now);
        Assert.Equal(5, _sender.Sent.Count);
        Assert.Equal(5, _sender.Keys.Distinct().Count());
        _endpoint.RoomAgain(_loop.Now);
        Assert.Equal(5, _sender.Sent.Count);
    }

    [Fact]
    public void Room_that_nobody_tells_of_is_found_soon()
    {
        TestConnection connection = Open(1);
        _sender.Room = 0;
        connection.Give(1, 2, 3);
        Turns();
        _sender.Room = int.MaxValue;
        long limit = MonotonicClock.Now + 5 * MonotonicClock.Second;
        while (_sender.Sent.Count == 0 && MonotonicClock.Now < limit)
            _loop.Once();
        Assert.Equal(3, _sender.Next().Payload.Length);
    }

    [Fact]
    public void Those_that_wait_for_buffers_are_woken_when_one_is_free_and_the_loop_rests_meanwhile()
    {
        TestConnection first = Open(1), second = Open(2), third = Open(3);
        var rented = new List<byte[]>();
        while (_endpoint.Stack.SendBlocks.Rent() is { } block)
            rented.Add(block);
        second.Give(Scene.Bytes(100));
        third.Give(Scene.Bytes(100));
        Turns();
        Assert.Empty(_sender.Sent);
        Assert.False(_loop.HasTurns); // no spinning
        _endpoint.Stack.ReturnSendBlock(rented[0]);
        Turns();
        Assert.Equal(2, _sender.Sent.Count); // little data leaves the large block to the next
        first.Give(1);
        Turns();
        Assert.Equal(3, _sender.Sent.Count);
    }

    [Fact]
    public void Connections_have_their_turns_in_order_and_as_many_in_one_turn_of_the_loop_as_the_guests_share_allows()
    {
        TestConnection[] connections = [.. Enumerable.Range(1, 5).Select(p => Open((ushort)p))];
        _sender.Sent.Clear();
        _sender.Keys.Clear();
        _sender.Cost = TimeSpan.FromMicroseconds(TurnShares.Longest);
        foreach (TestConnection connection in connections)
            connection.Give(1, 2, 3);
        for (int turn = 1; turn <= 5; turn++)
        {
            _loop.Once();
            Assert.Equal(turn, _sender.Sent.Count);
        }
        Assert.Equal([1, 2, 3, 4, 5], _sender.Keys.Select(key => (int)key.GuestPort));
        Assert.False(_loop.HasTurns);
    }

    [Fact]
    public void A_connection_that_ended_while_it_waited_is_passed_over()
    {
        TestConnection first = Open(1), second = Open(2);
        _sender.Room = 0;
        first.Give(1);
        second.Give(2);
        Turns();
        _sender.Room = int.MaxValue;
        first.StreamBroken();
        _sender.Sent.Clear();
        _endpoint.RoomAgain(_loop.Now);
        Assert.Equal([2], _sender.Next().Payload);
    }

    [Fact]
    public void A_new_syn_replaces_a_connection_that_only_waits_for_stragglers()
    {
        TestConnection connection = Open(1);
        SequenceNumber ours = _listener.LastAnswer;
        connection.GiveEnd();
        Turns();
        Deliver(1, 101, (ours + 2).Value, TcpFlags.Fin | TcpFlags.Ack);
        Assert.Equal(TcpState.TimeWait, connection.State);
        _sender.Sent.Clear();
        Deliver(1, 5_000, 0, TcpFlags.Syn);
        Assert.Equal(TcpState.Closed, connection.State);
        Assert.Equal(1, _endpoint.Count);
        Assert.Equal(TcpFlags.Syn | TcpFlags.Ack, _sender.Next().Flags);
    }

    private TestConnection Open(ushort port)
    {
        _listener.Last = null;
        if (!_endpoint.Has(Key(port)))
            Deliver(port, 100, 0, TcpFlags.Syn);
        TestConnection? connection = _listener.Last ?? _listener.Connections.Find(c => c.Key == Key(port));
        if (connection is null)
            return null!;
        // Its SYN-ACK again, to learn its number.
        _sender.Sent.Clear();
        Deliver(port, 100, 0, TcpFlags.Syn);
        Turns();
        _listener.LastAnswer = _sender.Next().Sequence;
        Deliver(port, 101, (_listener.LastAnswer + 1).Value, TcpFlags.Ack);
        Turns();
        _sender.Sent.Clear();
        _sender.Keys.Clear();
        return connection;
    }

    private static FlowKey Key(ushort port) => Scene.Key with { GuestPort = port };

    private void Deliver(ushort port, uint sequence, uint acknowledgment, TcpFlags flags, byte[]? payload = null) =>
        Deliver(port, sequence, acknowledgment, flags, payload, _listener);

    private void Deliver(ushort port, uint sequence, uint acknowledgment, TcpFlags flags, ITcpListener? listener) => Deliver(port, sequence, acknowledgment, flags, null, listener);

    private void Deliver(ushort port, uint sequence, uint acknowledgment, TcpFlags flags, byte[]? payload, ITcpListener? listener)
    {
        FlowKey key = Key(port);
        byte[] bytes = new SegmentCopy(new(sequence), new(acknowledgment), flags, 65_535, [], payload ?? []).Bytes(key.Guest, port, key.Remote, key.RemotePort);
        Assert.Equal(WireFault.None, TcpSegment.TryParse(bytes, key.Guest, key.Remote, out TcpSegment segment));
        _endpoint.Receive(key, segment, listener, _loop.Now);
    }

    private void Turns()
    {
        while (_loop.HasTurns)
            _loop.Once();
    }

    private sealed class Listener : ITcpListener
    {
        public TcpEndpoint Endpoint { get; set; } = null!;

        public List<TestConnection> Connections { get; } = [];

        public TestConnection? Last { get; set; }

        public SequenceNumber LastAnswer { get; set; }

        public void Open(in FlowKey key, in TcpSegment syn, long now)
        {
            Last = new TestConnection(Endpoint.Stack, key);
            Connections.Add(Last);
            Endpoint.Add(Last);
            Last.Begin(syn, now);
            Last.Accept(now);
        }
    }

    private sealed class Sender : ITcpSender
    {
        public int Room { get; set; } = int.MaxValue;

        public int Refused { get; set; }

        public Queue<SegmentCopy> Sent { get; } = new();

        public List<FlowKey> Keys { get; } = [];

        /// <summary>How long a segment takes.</summary>
        public TimeSpan Cost { get; set; }

        public SegmentCopy Next() => Sent.Dequeue();

        public bool TrySendTcp(in FlowKey key, SequenceNumber sequence, SequenceNumber acknowledgment, TcpFlags flags, ushort window, ReadOnlySpan<byte> options,
            ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, int segmentSize)
        {
            if (Room <= 0)
            {
                Refused++;
                return false;
            }
            if (Room != int.MaxValue)
                Room--;
            for (long begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < Cost;)
            {
            }
            Keys.Add(key);
            Sent.Enqueue(new SegmentCopy(sequence, acknowledgment, flags, window, options.ToArray(), [.. first, .. second], segmentSize));
            return true;
        }
    }
}
