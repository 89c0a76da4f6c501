using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Tcp;

/// <summary>
/// A small TCP of its own, to hold ours against: no options but the segment size, sends a few segments and again from the first that is not
/// acknowledged after a fixed time, keeps nothing that is out of order, acknowledges each segment.
/// </summary>
internal sealed class NaivePeer
{
    private const int TimeOut = 300_000;

    private readonly Simulation _simulation;
    private readonly SequenceNumber _ourFirst;
    private readonly int _length, _capacity, _segment, _burst;
    private SequenceNumber _theirFirst;
    private int _acknowledged, _sent, _window, _unread; // places: 0 the SYN, 1 the first byte, length + 1 the FIN
    private int _expected = -1;
    private int _timer;

    public NaivePeer(Simulation simulation, int length)
    {
        _simulation = simulation;
        _length = length;
        _ourFirst = new SequenceNumber((uint)simulation.Random.NextInt64(1L << 32));
        _capacity = simulation.Random.Next(3) switch { 0 => 500, 1 => 10_000, _ => 65_535 };
        _segment = simulation.Random.Next(3) switch { 0 => 100, 1 => 536, _ => 1460 };
        _burst = simulation.Random.Next(1, 6);
        Read();
    }

    public BadLink Link { get; set; } = null!;

    public List<byte> Taken { get; } = [];

    public bool EndTaken { get; private set; }

    public bool IsDone => EndTaken && _acknowledged == _length + 2;

    public bool WasReset { get; private set; }

    public void Open() => Send(0, 1, syn: true);

    public void Deliver(byte[] bytes)
    {
        FlowKey key = Scene.Key;
        if (TcpSegment.TryParse(bytes, key.Remote, key.Guest, out TcpSegment segment) != WireFault.None)
            return;
        if ((segment.Flags & TcpFlags.Rst) != 0)
        {
            WasReset = true;
            return;
        }
        if ((segment.Flags & TcpFlags.Syn) != 0 && _expected <= 0)
        {
            _theirFirst = segment.Sequence;
            _expected = 1;
            if ((segment.Flags & TcpFlags.Ack) == 0)
            {
                Send(0, 1, syn: true);
                return;
            }
        }
        if (_expected < 0)
            return;
        if ((segment.Flags & TcpFlags.Ack) != 0)
        {
            int acknowledged = segment.Acknowledgment - _ourFirst;
            Assert.InRange(acknowledged, 0, _length + 2);
            if (acknowledged >= _acknowledged)
                _window = segment.Window;
            if (acknowledged > _acknowledged)
            {
                _acknowledged = acknowledged;
                _sent = Math.Max(_sent, acknowledged);
                Arm();
            }
        }
        int place = segment.Sequence - _theirFirst;
        bool empty = segment.SequenceLength == 0;
        Accept(segment, place + ((segment.Flags & TcpFlags.Syn) != 0 ? 1 : 0));
        Output();
        if (!empty || place != _expected)
            Acknowledge();
    }

    private void Accept(in TcpSegment segment, int place)
    {
        ReadOnlySpan<byte> data = segment.Payload;
        int end = place + data.Length;
        if (EndTaken || place > _expected)
            return;
        int skip = _expected - place;
        int room = Math.Max(0, _capacity - _unread);
        if (skip < data.Length)
        {
            data = data[skip..];
            data = data[..Math.Min(data.Length, room)];
            Taken.AddRange(data);
            _unread += data.Length;
            _expected += data.Length;
        }
        if ((segment.Flags & TcpFlags.Fin) != 0 && _expected == end)
        {
            _expected++;
            EndTaken = true;
        }
    }

    private void Output()
    {
        int end = _length + 2;
        for (int i = 0; i < _burst && _sent >= 1 && _sent < end && _sent - _acknowledged < _window && _acknowledged > 0; i++)
        {
            int room = Math.Min(_segment, _acknowledged + _window - _sent);
            int next = Math.Min(_sent + room, end);
            Send(_sent, next);
        }
    }

    private void Send(int from, int to, bool syn = false)
    {
        bool fin = to == _length + 2;
        byte[] data = syn ? [] : Scene.Bytes(Math.Max(0, (fin ? to - 1 : to) - from), from - 1);
        TcpFlags flags = (syn ? TcpFlags.Syn : 0) | (fin ? TcpFlags.Fin : 0) | (_expected > 0 ? TcpFlags.Ack : 0);
        byte[] options = syn ? SegmentCopy.Write(new TcpOptions { SegmentSize = 1_000 }) : [];
        Emit(from, flags, options, data);
        bool first = _sent == _acknowledged;
        _sent = Math.Max(_sent, to);
        if (first)
            Arm();
    }

    private void Acknowledge() => Emit(_sent, TcpFlags.Ack, [], []);

    private void Emit(int place, TcpFlags flags, byte[] options, byte[] data) =>
        Link.Send(new SegmentCopy(_ourFirst + place, _expected > 0 ? _theirFirst + _expected : default, flags, (ushort)Math.Max(0, _capacity - _unread), options, data));

    private void Arm()
    {
        int timer = ++_timer;
        _simulation.In(TimeOut, () =>
        {
            if (timer != _timer || _acknowledged == _length + 2 || WasReset)
                return;
            if (_acknowledged == 0)
                Send(0, 1, syn: true);
            else
                Send(_acknowledged, Math.Min(_acknowledged + Math.Clamp(_window, 1, _segment), _length + 2)); // a byte into a shut window is its probe
            Arm();
        });
    }

    /// <summary>The program reads.</summary>
    private void Read()
    {
        bool shut = _capacity - _unread < 100;
        _unread = _simulation.Random.Next(3) == 0 ? _unread : 0;
        if (shut && _unread == 0 && _expected > 0)
            Acknowledge();
        if (!EndTaken)
            _simulation.In(_simulation.Random.Next(20_000), Read);
    }
}
