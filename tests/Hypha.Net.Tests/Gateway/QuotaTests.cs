using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Hypha.Net.Ip;
using Hypha.Net.Loop;
using Hypha.Net.Nat;
using Hypha.Net.Wire;
using static Hypha.Net.Tests.Gateway.Frames;

namespace Hypha.Net.Tests.Gateway;

/// <summary>A guest that takes all that it can get: its tables stop at their limits, others are served meanwhile, and in time all is given back.</summary>
[Collection<WholeMemory>]
public sealed class QuotaTests
{
    private const string Self = "10.75.0.2", Self6 = "fd75::2", Host = "192.0.2.1", Silent = "192.0.2.2";
    private const long Mebibyte = 1 << 20;

    private static readonly NatLimits s_few = new() { TcpFlows = 100, TcpHalfOpen = 40, UdpMappings = 100, EchoMappings = 20, Peers = 1_000 };

    [Fact]
    public void SYNs_without_end_stop_at_the_limit_and_a_connection_goes_on() => Namespace.Run(() =>
    {
        Namespace.Shell("sysctl -qw net.ipv4.tcp_syn_retries=1");
        using var scene = new GuestScene(s_few);
        using var server = new Server();
        var connection = new Connection(scene, server, 1_000);
        connection.Exchange("before");
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 20_000; i++)
            scene.Send(Packet(Self, Silent, IpProtocol.Tcp, Segment(Self, Silent, (ushort)(2_000 + i), (ushort)(i % 7 + 1), (uint)i, 0, TcpFlags.Syn)));
        Assert.Equal((s_few.TcpHalfOpen, s_few.TcpHalfOpen + 1), (scene.Guest.Tcp.Opening, scene.Guest.Tcp.Count));
        Assert.Equal(20_000ul - (ulong)s_few.TcpHalfOpen, scene.Guest.Tcp.OverLimit);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 2 * Mebibyte);
        connection.Exchange("meanwhile");
        // The kernel gives up, the guest is told, and there is room again.
        Until(scene, () => scene.Guest.Tcp.Opening == 0, seconds: 20);
        Assert.Contains(scene.Link.Sent, frame => frame[23] == (byte)IpProtocol.Icmp && frame[34] == (byte)IcmpType.Unreachable && frame[35] == (byte)IcmpUnreachable.Host);
        connection.Exchange("after");
    });

    [Fact]
    public void UDP_from_all_ports_to_everybody_stops_at_the_limits_and_ends() => Namespace.Run(() =>
    {
        using var scene = new GuestScene(s_few);
        for (int port = 1; port < 65_536; port++)
            scene.Send(Packet(Self, Silent, IpProtocol.Udp, Udp(Self, Silent, (ushort)port, 9)));
        Assert.Equal(s_few.UdpMappings, scene.Guest.Udp.Count);
        Assert.Equal(65_535ul - (ulong)s_few.UdpMappings, scene.Guest.Udp.Counters.OverLimit);
        // Each of those to 200 more: who is remembered has a limit for all of them together.
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < s_few.UdpMappings * 200; i++)
        {
            string to = $"192.0.2.{2 + i % 200}";
            scene.Send(Packet(Self, to, IpProtocol.Udp, Udp(Self, to, (ushort)(1 + i / 200), 9)));
            Assert.InRange(scene.Guest.Udp.PeersLeft, 0, s_few.Peers);
        }
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, Mebibyte);
        Pass(scene, 400);
        Assert.Equal((0, s_few.Peers, 0), (scene.Guest.Udp.Count, scene.Guest.Udp.PeersLeft, scene.Loop.Timers.Count));
        // and there is room again
        scene.Send(Packet(Self, Silent, IpProtocol.Udp, Udp(Self, Silent, 1, 9)));
        Assert.Equal(1, scene.Guest.Udp.Count);
    });

    [Fact]
    public void Answers_to_many_ports_are_passed_on_as_far_as_one_turn_allows_and_then_in_the_next() => Namespace.Run(() =>
    {
        using var scene = new GuestScene();
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Parse(Host), 9));
        byte[] buffer = new byte[64];
        for (ushort port = 1; port <= 4; port++)
            scene.Send(Packet(Self, Host, IpProtocol.Udp, Udp(Self, Host, port, 9, 1, 2, 3)));
        scene.Loop.Once();
        for (ushort port = 1; port <= 4; port++)
        {
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            int length = server.ReceiveFrom(buffer, ref from);
            for (int i = 0; i < 2; i++)
                server.SendTo(buffer.AsSpan(0, length), from);
        }
        scene.Link.Watcher = (_, _) => Spin(TurnShares.Longest);
        // A port's are taken together.
        for (int turn = 1; turn <= 4; turn++)
        {
            scene.Loop.Once();
            Assert.Equal(2 * turn, scene.Link.Sent.Count);
        }
        Assert.Equal(4, scene.Link.Sent.Select(frame => frame[37]).Distinct().Count());

        static void Spin(long microseconds)
        {
            for (long begun = MonotonicClock.Now; MonotonicClock.Now < begun + microseconds;)
            {
            }
        }
    });

    [Fact]
    public void Echo_identifiers_stop_at_the_limit_and_end() => Namespace.Run(() =>
    {
        using var scene = new GuestScene(s_few);
        for (uint id = 0; id < 65_536; id++)
            scene.Send(Packet(Self, Host, IpProtocol.Icmp, Icmp(Self, Host, (byte)IcmpType.Echo, id << 16)));
        Assert.Equal(s_few.EchoMappings, scene.Guest.EchoNat.Count);
        Assert.Equal(65_536ul - (ulong)s_few.EchoMappings, scene.Guest.EchoNat.Counters.OverLimit);
        Until(scene, () => scene.Link.Sent.Any(frame => frame[23] == (byte)IpProtocol.Icmp && frame[34] == (byte)IcmpType.EchoReply), seconds: 10);
        Pass(scene, 400);
        Assert.Equal((0, 0), (scene.Guest.EchoNat.Count, scene.Loop.Timers.Count));
    });

    [Fact]
    public void Fragments_without_end_take_a_fixed_number_of_buffers()
    {
        using var scene = new GuestScene();
        scene.Link.Forgets = true;
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (uint i = 0; i < 20_000; i++)
        {
            scene.Send(Fragment(Self, Silent, IpProtocol.Udp, new byte[64], 0, more: true, i));
            scene.Send(Fragment(Self6, "2001:db8::2", IpProtocol.Udp, new byte[64], 65_000, more: true, i));
            scene.Send(Fragment(Self, Silent, IpProtocol.Udp, new byte[64], (int)(i % 8_000) * 8, more: true, 7));
        }
        Assert.Equal(Reassembly.Datagrams, scene.Guest.Reassembly.Count);
        Assert.True(scene.Guest.Reassembly.Counters.Evicted > 10_000);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 2 * Mebibyte);
        Pass(scene, 40);
        Assert.Equal((0, 0), (scene.Guest.Reassembly.Count, scene.Loop.Timers.Count));
    }

    [Fact]
    public void Questions_without_end_are_refused_past_the_limit_and_the_rest_told_in_time() => Namespace.Run(() =>
    {
        using var scene = new GuestScene(dns: [Silent, "192.0.2.3"]);
        for (int id = 0; id < 5_000; id++)
            scene.Send(Packet(Self, "10.75.0.1", IpProtocol.Udp, Udp(Self, "10.75.0.1", 5_000, 53, Question(id))));
        int under = scene.Guest.Dns.Count;
        Assert.InRange(under, 1, 1_024);
        Assert.Equal(5_000ul - (ulong)under, scene.Guest.Dns.Counters.OverLimit);
        Assert.Equal(5_000 - under, scene.Link.Sent.Count(frame => (frame[45] & 0xF) == (int)DnsStatus.ServerFailure));
        Pass(scene, 20);
        Assert.Equal((0, 0), (scene.Guest.Dns.Count, scene.Loop.Timers.Count));
        Assert.Equal(5_000, scene.Link.Sent.Count(frame => (frame[45] & 0xF) == (int)DnsStatus.ServerFailure));
    });

    [Fact]
    public void Wrong_answers_without_end_do_not_hold_the_loop() => Namespace.Run(() =>
    {
        using var scene = new GuestScene(dns: [Host]);
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Parse(Host), 53));
        scene.Send(Packet(Self, "10.75.0.1", IpProtocol.Udp, Udp(Self, "10.75.0.1", 5_000, 53, Question(1))));
        var asked = new HashSet<EndPoint>();
        for (ulong round = 1; round <= 2; round++)
        {
            EndPoint client = new IPEndPoint(IPAddress.Any, 0);
            byte[] query = new byte[100];
            int length = server.ReceiveFrom(query, ref client);
            Assert.True(asked.Add(client), "asked again from the same port");
            (query[0], query[2]) = ((byte)(query[0] ^ 1), 0x81); // an answer to another question's identifier
            for (int i = 0; i < 200; i++)
                server.SendTo(query.AsSpan(0, length), client);
            scene.Loop.Once();
            Assert.Equal(64 * round, scene.Guest.Dns.Counters.Lies);
        }
        Assert.Equal((0, 1ul), (scene.Guest.Dns.Count, scene.Guest.Dns.Counters.Failed));
    });

    [Fact]
    public void Callers_of_a_published_port_without_end_leave_what_the_guest_has_alone() => Namespace.Run(() =>
    {
        using var scene = new GuestScene(s_few, published: [new PublishedPort(null, 8_080, 80, 1, IpProtocol.Tcp), new PublishedPort(null, 5_300, 53, 1, IpProtocol.Udp)]);
        using var server = new Server();
        var connection = new Connection(scene, server, 1_000);
        connection.Exchange("before");
        var callers = new List<Socket>();
        using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        for (int i = 0; i < 300; i++)
        {
            var caller = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            callers.Add(caller);
            try
            {
                caller.Connect(new IPEndPoint(IPAddress.Parse(Host), 8_080));
            }
            catch (SocketException)
            {
                // under way
            }
            datagrams.SendTo([1], new IPEndPoint(IPAddress.Parse(Host), 5_300));
        }
        // The guest answers none of them.
        Until(scene, () => scene.Guest.Tcp.OverLimit >= 300 - (ulong)s_few.TcpHalfOpen, seconds: 20);
        Assert.Equal(s_few.TcpHalfOpen, scene.Guest.Tcp.Opening);
        connection.Exchange("meanwhile");
        callers.ForEach(caller => caller.Dispose());
        // It never answers: each is given up after its SYN has been sent six times.
        Pass(scene, 200);
        Assert.Equal((0, 1), (scene.Guest.Tcp.Opening, scene.Guest.Tcp.Count));
    });

    [Fact]
    public void A_guest_that_takes_no_frames_makes_nothing_grow() => Namespace.Run(() =>
    {
        using var scene = new GuestScene(s_few);
        using var server = new Server();
        scene.Link.IsFull = true;
        long before = 0;
        for (int i = 0; i < 1_500; i++)
        {
            if (i == 500)
                before = GC.GetTotalMemory(forceFullCollection: true);
            // It begins, the SYN-ACK finds no room, it gives up; and so on.
            ushort port = (ushort)(1_000 + i);
            scene.Send(Packet(Self, Host, IpProtocol.Tcp, Segment(Self, Host, port, Server.Port, 100, 0, TcpFlags.Syn)));
            scene.Loop.Once();
            scene.Send(Packet(Self, Host, IpProtocol.Tcp, Segment(Self, Host, port, Server.Port, 101, 0, TcpFlags.Rst)));
            server.Drop();
        }
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, Mebibyte);
        Assert.InRange(scene.Guest.Tcp.Count, 0, s_few.TcpHalfOpen);
    });

    private static byte[] Question(int id) => [(byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, .. "example"u8, 4, .. "test"u8, 0, 0, 1, 0, 1];

    /// <summary>Lets seconds pass for the timers.</summary>
    private static void Pass(GuestScene scene, int seconds)
    {
        long start = scene.Loop.Now;
        for (long passed = 0; passed <= seconds * MonotonicClock.Second; passed += 250 * MonotonicClock.Millisecond)
            scene.Loop.Timers.Advance(start + passed);
    }

    private static void Until(GuestScene scene, Func<bool> condition, int seconds)
    {
        long start = Stopwatch.GetTimestamp();
        using var timer = new System.Threading.Timer(_ => scene.Loop.Post(() => { }), null, 10, 10); // so that the loop does not sleep past the deadline
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < seconds, "it did not come to be in time");
            scene.Loop.Once();
        }
    }

    /// <summary>A server on the host, that answers with what it gets.</summary>
    private sealed class Server : IDisposable
    {
        public const int Port = 80;

        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };

        public Server()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Parse(Host), Port));
            _listener.Listen(4_096);
        }

        public Socket? Accept() => _listener.Poll(0, SelectMode.SelectRead) ? _listener.Accept() : null;

        /// <summary>Ends whoever called.</summary>
        public void Drop()
        {
            while (Accept() is { } caller)
                caller.Dispose();
        }

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>A connection of the guest, by hand.</summary>
    private sealed class Connection
    {
        private readonly GuestScene _scene;
        private readonly ushort _port;
        private readonly Socket _accepted;
        private uint _sequence = 1, _acknowledgment;

        public Connection(GuestScene scene, Server server, ushort port)
        {
            (_scene, _port) = (scene, port);
            Send(TcpFlags.Syn, []);
            _sequence++;
            Socket? accepted = null;
            Until(scene, () => (accepted ??= server.Accept()) is not null && Find(TcpFlags.Syn) is not null, 10);
            _accepted = accepted!;
            _acknowledgment = Find(TcpFlags.Syn)!.Value.Sequence + 1;
            Send(TcpFlags.Ack, []);
        }

        /// <summary>The guest says something, the server says it back.</summary>
        public void Exchange(string word)
        {
            byte[] bytes = System.Text.Encoding.ASCII.GetBytes(word);
            _scene.Link.Sent.Clear();
            Send(TcpFlags.Ack | TcpFlags.Psh, bytes);
            _sequence += (uint)bytes.Length;
            Until(_scene, () => _accepted.Available == bytes.Length, 10);
            byte[] got = new byte[bytes.Length];
            _accepted.Receive(got);
            _accepted.Send(got);
            Until(_scene, () => Find(TcpFlags.Psh) is not null, 10);
            var (sequence, payload) = Find(TcpFlags.Psh)!.Value;
            Assert.Equal(bytes, payload);
            Assert.Equal(_acknowledgment, sequence);
            _acknowledgment += (uint)bytes.Length;
            Send(TcpFlags.Ack, []);
        }

        private void Send(TcpFlags flags, byte[] payload) =>
            _scene.Send(Packet(Self, Host, IpProtocol.Tcp, Segment(Self, Host, _port, Server.Port, _sequence, _acknowledgment, flags, payload: payload)));

        private (uint Sequence, byte[] Payload)? Find(TcpFlags flag)
        {
            foreach (byte[] frame in _scene.Link.Sent)
            {
                if (Ipv4Packet.TryParse(frame.AsSpan(14), out Ipv4Packet packet) == WireFault.None && packet.Protocol == IpProtocol.Tcp
                    && TcpSegment.TryParse(packet.Payload, packet.Source, packet.Destination, out TcpSegment segment, checkSum: false) == WireFault.None
                    && segment.DestinationPort == _port && (segment.Flags & flag) != 0)
                {
                    return (segment.Sequence.Value, segment.Payload.ToArray());
                }
            }
            return null;
        }
    }
}
