using Hypha.Net.Loop;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

/// <summary>What connections cost: memory when idle, and none for each segment.</summary>
public sealed class CostTests
{
    [Fact]
    public void An_idle_connection_takes_no_more_than_a_quarter_of_a_kibibyte()
    {
        var network = new Quiet();
        var timers = new TimerWheel(0);
        var stack = new TcpStack(network, timers, 1500, segments: true);
        const int count = 1_000;
        var connections = new Bare[count];
        Connect(new Bare(stack, Scene.Key), network, 0); // whatever is made once
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < count; i++)
            connections[i] = new Bare(stack, Scene.Key with { GuestPort = (ushort)i });
        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / count;
        before = GC.GetAllocatedBytesForCurrentThread();
        foreach (Bare connection in connections)
            Connect(connection, network, 1_000);
        long opening = (GC.GetAllocatedBytesForCurrentThread() - before) / count;
        Assert.Equal(0, opening);
        TestContext.Current.SendDiagnosticMessage($"{each} bytes a connection");
        Assert.InRange(each, 1, 256);
        GC.KeepAlive(connections);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_segment_in_or_out_allocates(bool segments)
    {
        var network = new Quiet();
        var timers = new TimerWheel(0);
        var stack = new TcpStack(network, timers, 1500, segments);
        var connection = new Bare(stack, Scene.Key) { Endless = true };
        long now = 1_000;
        Connect(connection, network, now);
        connection.StreamReadable();
        Run(connection, network, timers, 2_000, ref now);
        long sent = network.Count;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(connection, network, timers, 100_000, ref now);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(network.Count - sent > 50_000, $"{network.Count - sent}");
        Assert.True(stack.Counters.Retransmissions > 100 && stack.Counters.OutOfOrder > 100 && connection.Blocked > 100);
    }

    /// <summary>The guest acknowledges and sends; now and then it lacks something, sends out of order, or the stream is full.</summary>
    private static void Run(Bare connection, Quiet network, TimerWheel timers, int segments, ref long now)
    {
        byte[] bytes = network.Scratch;
        SequenceNumber place = network.Expected;
        for (int i = 0; i < segments; i++)
        {
            now += 50;
            var options = new TcpOptions { HasTimestamps = true, TimestampValue = (uint)(now / 1_000), TimestampEcho = network.Stamp };
            SequenceNumber acknowledgment = network.Next;
            if (i % 500 < 5 && network.Next - network.Acknowledged > 20_000)
            {
                acknowledgment = network.Acknowledged;
                options.Add(new SackBlock(network.Acknowledged + 1448, network.Next));
            }
            network.Acknowledged = acknowledgment;
            connection.Full = i % 700 < 20;
            if (!connection.Full)
                connection.StreamWritable(now);
            bool ahead = i % 300 == 0;
            int length = Write(bytes, place + (ahead ? 1448 : 0), acknowledgment, TcpFlags.Ack, options, 1448);
            TcpSegment.TryParse(bytes.AsSpan(0, length), default, default, out TcpSegment segment, checkSum: false);
            connection.Receive(segment, now);
            network.Turn(now);
            timers.Advance(now);
            network.Turn(now);
            place = network.Expected;
        }
    }

    private static void Connect(Bare connection, Quiet network, long now)
    {
        byte[] bytes = network.Scratch;
        int length = Write(bytes, new SequenceNumber(77), default, TcpFlags.Syn,
            new TcpOptions { SegmentSize = 1460, SackPermitted = true, WindowShift = 10, HasTimestamps = true, TimestampValue = 1 }, 0);
        TcpSegment.TryParse(bytes.AsSpan(0, length), default, default, out TcpSegment segment, checkSum: false);
        connection.Begin(segment, now);
        connection.Accept(now);
        length = Write(bytes, new SequenceNumber(78), network.Next, TcpFlags.Ack, new TcpOptions { HasTimestamps = true, TimestampValue = 1, TimestampEcho = network.Stamp }, 0);
        TcpSegment.TryParse(bytes.AsSpan(0, length), default, default, out segment, checkSum: false);
        connection.Receive(segment, now);
        network.Turn(now);
        Assert.True(connection.State == TcpState.Established);
        network.Acknowledged = network.Next;
    }

    private static int Write(byte[] bytes, SequenceNumber sequence, SequenceNumber acknowledgment, TcpFlags flags, in TcpOptions options, int payload)
    {
        int header = TcpSegment.HeaderSize + options.Write(bytes.AsSpan(TcpSegment.HeaderSize));
        TcpSegment.WriteHeader(bytes.AsSpan(0, header), 40_000, 80, sequence, acknowledgment, flags, 100);
        return header + payload;
    }

    private sealed class Bare(TcpStack stack, in FlowKey key) : TcpConnection(stack, key)
    {
        public bool Endless { get; init; }

        public bool Full { get; set; }

        public int Blocked { get; private set; }

        protected override int Write(ReadOnlySpan<byte> bytes)
        {
            if (!Full)
                return bytes.Length;
            Blocked++;
            return bytes.Length / 2;
        }

        protected override int Read(Span<byte> to) => Endless ? to.Length : NothingYet;

        protected override void EndWriting()
        {
        }

        protected override void Release(TcpEnd end)
        {
        }
    }

    private sealed class Quiet : ITcpNetwork
    {
        private readonly Queue<TcpConnection> _turns = new(16);

        public byte[] Scratch { get; } = new byte[2_000];

        public long Count { get; private set; }

        public SequenceNumber Next { get; private set; }

        public SequenceNumber Acknowledged { get; set; }

        public SequenceNumber Expected { get; private set; }

        public uint Stamp { get; private set; }

        public void Turn(long now)
        {
            for (int left = _turns.Count; left > 0; left--)
                _turns.Dequeue().Turn(now);
        }

        public bool TrySendTcp(in FlowKey key, SequenceNumber sequence, SequenceNumber acknowledgment, TcpFlags flags, ushort window, ReadOnlySpan<byte> options,
            ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, int segmentSize)
        {
            Count++;
            SequenceNumber end = sequence + first.Length + second.Length + ((flags & TcpFlags.Syn) != 0 ? 1 : 0);
            if ((flags & TcpFlags.Syn) != 0 || end > Next)
                Next = end;
            Expected = acknowledgment;
            TcpOptions.Read(options, out TcpOptions read);
            Stamp = read.TimestampValue;
            return true;
        }

        public void AtTurnEnd(TcpConnection connection) => _turns.Enqueue(connection);

        public void Opened(TcpConnection connection)
        {
        }

        public void Removed(TcpConnection connection, bool wasOpen)
        {
        }

        public void WaitForRoom(TcpConnection connection) => Assert.Fail();

        public void WaitForBuffers(TcpConnection connection)
        {
        }

        public void BuffersFreed()
        {
        }
    }
}
