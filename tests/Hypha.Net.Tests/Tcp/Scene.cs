using Hypha.Net.Loop;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

/// <summary>
/// One connection and a test in the place of its guest: what the test sends goes in as bytes, what the connection sends is kept, time goes on
/// when the test says so. Places in the streams are told from their beginnings: <see cref="Guest"/> and <see cref="Ours"/> give sequence numbers.
/// </summary>
internal sealed class Scene : ITcpNetwork
{
    public const int Millisecond = 1_000, Second = 1_000_000; // microseconds

    public static readonly FlowKey Key = new(IpAddress.OfV4(0x0A4B_0002), 40_000, IpAddress.OfV4(0xC000_0201), 80);

    private readonly Queue<TcpConnection> _turns = new(), _room = new(), _buffers = new();
    private readonly FlowKey _key;
    private bool _freed;

    public Scene(int mtu = 1500, bool segments = false, int receiveWindow = 1 << 20, uint guestFirst = 5_000, FlowKey? key = null)
    {
        _key = key ?? Key;
        Timers = new TimerWheel(Now);
        Stack = new TcpStack(this, Timers, mtu, segments) { ReceiveWindow = receiveWindow };
        GuestFirst = new SequenceNumber(guestFirst);
        Connection = new TestConnection(Stack, _key);
    }

    public long Now { get; private set; } = 1_000_000 * (long)Second;

    public TimerWheel Timers { get; }

    public TcpStack Stack { get; }

    public TestConnection Connection { get; }

    /// <summary>The guest's SYN's sequence number, and ours.</summary>
    public SequenceNumber GuestFirst { get; }

    public SequenceNumber OurFirst { get; set; }

    /// <summary>How many segments the link takes.</summary>
    public int LinkRoom { get; set; } = int.MaxValue;

    public Queue<SegmentCopy> Sent { get; } = new();

    public int OpenedCount { get; private set; }

    public bool? RemovedWasOpen { get; private set; }

    public int WaitingForRoom => _room.Count;

    public int WaitingForBuffers => _buffers.Count;

    /// <summary>The guest's window, and its timestamp; none by default.</summary>
    public ushort Window { get; set; } = 65_535;

    public uint? Stamp { get; set; }

    public uint Echo { get; set; }

    public SequenceNumber Guest(int place) => GuestFirst + 1 + place;

    public SequenceNumber Ours(int place) => OurFirst + 1 + place;

    /// <summary>A scene whose handshake is done, begun by the guest.</summary>
    public static Scene Open(TcpOptions options = default, int mtu = 1500, bool segments = false, int receiveWindow = 1 << 20, uint guestFirst = 5_000, ushort window = 65_535)
    {
        var scene = new Scene(mtu, segments, receiveWindow, guestFirst) { Window = window };
        options.SegmentSize ??= 1460;
        if (options.HasTimestamps)
            scene.Stamp = options.TimestampValue;
        scene.SendSyn(options);
        scene.Connection.Accept(scene.Now);
        SegmentCopy answer = scene.Next();
        scene.OurFirst = answer.Sequence;
        scene.Echo = answer.Options.TimestampValue;
        scene.Send(0, 0);
        Assert.Equal(TcpState.Established, scene.Connection.State);
        scene.ExpectNothing();
        return scene;
    }

    /// <summary>The guest's SYN, as an endpoint would give it to a new connection.</summary>
    public void SendSyn(TcpOptions options = default)
    {
        byte[] bytes = new SegmentCopy(GuestFirst, default, TcpFlags.Syn, Window, SegmentCopy.Write(options), []).Bytes(_key.Guest, _key.GuestPort, _key.Remote, _key.RemotePort);
        Assert.Equal(WireFault.None, TcpSegment.TryParse(bytes, _key.Guest, _key.Remote, out TcpSegment segment));
        Connection.Begin(segment, Now);
    }

    /// <summary>The guest sends a segment: data at a place of its stream, acknowledging ours up to a place.</summary>
    public void Send(int place, int acknowledges, byte[]? payload = null, TcpFlags flags = TcpFlags.Ack, TcpOptions options = default) =>
        SendAt(Guest(place), Ours(acknowledges), flags, payload, options);

    public void SendAt(SequenceNumber sequence, SequenceNumber acknowledgment, TcpFlags flags, byte[]? payload = null, TcpOptions options = default, ushort? window = null)
    {
        if (Stamp is { } stamp && (flags & TcpFlags.Rst) == 0 && !options.HasTimestamps)
        {
            options.HasTimestamps = true;
            options.TimestampValue = stamp;
            options.TimestampEcho = Echo;
        }
        Deliver(new SegmentCopy(sequence, acknowledgment, flags, window ?? Window, SegmentCopy.Write(options), payload ?? []));
        Turns();
    }

    /// <summary>As <see cref="Send"/>, while more frames are at hand: the connection has its turn later.</summary>
    public void Deliver(SegmentCopy segment)
    {
        byte[] bytes = segment.Bytes(_key.Guest, _key.GuestPort, _key.Remote, _key.RemotePort);
        Assert.Equal(WireFault.None, TcpSegment.TryParse(bytes, _key.Guest, _key.Remote, out TcpSegment parsed));
        Connection.Receive(parsed, Now);
    }

    public void Give(params byte[] bytes)
    {
        Connection.Give(bytes);
        Turns();
    }

    public void GiveEnd()
    {
        Connection.GiveEnd();
        Turns();
    }

    public void Take(int bytes)
    {
        Connection.Take(bytes, Now);
        Turns();
    }

    public void Turns()
    {
        while (_turns.TryDequeue(out TcpConnection? connection))
        {
            connection.Turn(Now);
            if (_freed)
                BuffersAgain();
        }
    }

    public void BuffersAgain()
    {
        _freed = false;
        for (int left = _buffers.Count; left > 0; left--)
            _buffers.Dequeue().BuffersAgain(Now);
        Turns();
    }

    public void RoomAgain(int room = int.MaxValue)
    {
        LinkRoom = room;
        for (int left = _room.Count; left > 0; left--)
            _room.Dequeue().RoomAgain(Now);
        Turns();
    }

    /// <summary>Time goes on; timers expire when they are due.</summary>
    public void Pass(long microseconds)
    {
        long end = Now + microseconds;
        while (Timers.NextAdvance is var next && next <= end)
        {
            Now = Math.Max(Now, next);
            Timers.Advance(Now);
            Turns();
        }
        Now = end;
        Timers.Advance(Now);
        Turns();
    }

    /// <summary>Time goes on until something is sent.</summary>
    public SegmentCopy WaitNext(long limit)
    {
        long end = Now + limit;
        while (Sent.Count == 0)
        {
            Assert.True(Timers.NextAdvance <= end, $"Nothing was sent within {limit} µs; {Connection.State}");
            Pass(Timers.NextAdvance - Now);
        }
        return Sent.Dequeue();
    }

    public SegmentCopy Next()
    {
        Turns();
        Assert.True(Sent.TryDequeue(out SegmentCopy? segment), $"Nothing was sent; {Connection.State}");
        return segment;
    }

    public void ExpectNothing()
    {
        Turns();
        Assert.True(Sent.Count == 0, Sent.TryPeek(out SegmentCopy? segment) ? $"Sent: {segment}" : "");
    }

    public void ExpectAcknowledgment(int place)
    {
        SegmentCopy segment = Next();
        Assert.Equal(TcpFlags.Ack, segment.Flags);
        Assert.Empty(segment.Payload);
        Assert.Equal(Guest(place), segment.Acknowledgment);
    }

    /// <summary>Data at a place of our stream.</summary>
    public SegmentCopy ExpectData(int place, int length)
    {
        SegmentCopy segment = Next();
        Assert.Equal(Ours(place), segment.Sequence);
        Assert.Equal(length, segment.Payload.Length);
        return segment;
    }

    /// <summary>Nothing is left of the connection: no buffers, no timer, and the stream was told.</summary>
    public void ExpectEnd(TcpEnd end)
    {
        Turns();
        Assert.Equal(TcpState.Closed, Connection.State);
        Assert.Equal(end, Connection.Released);
        Assert.NotNull(RemovedWasOpen);
        ExpectNothingHeld();
        Assert.Equal(0, Timers.Count);
    }

    public void ExpectNothingHeld()
    {
        Assert.Equal(0, Stack.SendBlocks.InUse);
        Assert.Equal(0, Stack.SmallSendBlocks.InUse);
        Assert.Equal(0, Stack.ReceiveBlocks.InUse);
    }

    public static byte[] Bytes(int length, int from = 0)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
            bytes[i] = Pattern(from + i);
        return bytes;
    }

    /// <summary>The byte at a place of a test's stream: no two blocks of it look alike.</summary>
    public static byte Pattern(int place) => (byte)(place * 31 + (place >> 8) * 17 + (place >> 16) * 7);

    bool ITcpSender.TrySendTcp(in FlowKey key, SequenceNumber sequence, SequenceNumber acknowledgment, TcpFlags flags, ushort window, ReadOnlySpan<byte> options,
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, int segmentSize)
    {
        Assert.Equal(_key, key);
        Assert.True(options.Length % 4 == 0 && options.Length <= TcpOptions.MaximumSize);
        if (LinkRoom <= 0)
            return false;
        if (LinkRoom != int.MaxValue)
            LinkRoom--;
        Sent.Enqueue(new SegmentCopy(sequence, acknowledgment, flags, window, options.ToArray(), [.. first, .. second], segmentSize));
        return true;
    }

    void ITcpNetwork.Opened(TcpConnection connection) => OpenedCount++;

    void ITcpNetwork.Removed(TcpConnection connection, bool wasOpen)
    {
        Assert.Null(RemovedWasOpen);
        RemovedWasOpen = wasOpen;
    }

    void ITcpNetwork.AtTurnEnd(TcpConnection connection)
    {
        Assert.DoesNotContain(connection, _turns);
        _turns.Enqueue(connection);
    }

    void ITcpNetwork.WaitForRoom(TcpConnection connection)
    {
        Assert.DoesNotContain(connection, _room);
        _room.Enqueue(connection);
    }

    void ITcpNetwork.WaitForBuffers(TcpConnection connection)
    {
        Assert.DoesNotContain(connection, _buffers);
        _buffers.Enqueue(connection);
    }

    void ITcpNetwork.BuffersFreed() => _freed = _buffers.Count > 0;
}
