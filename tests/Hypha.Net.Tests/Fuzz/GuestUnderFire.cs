using System.Net;
using System.Net.Sockets;
using Hypha.Net.Gateway;
using Hypha.Net.Ip;
using Hypha.Net.Loop;
using Hypha.Net.Nat;
using Hypha.Net.Tests.Gateway;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Fuzz;

/// <summary>
/// Whole frames through an attachment, in a namespace where a server listens on port 80 of the host: broken ones, those of a connection that goes on, time
/// that passes, a link that is full. What leaves is looked at, and at the end nothing may be left.
/// </summary>
internal sealed class GuestUnderFire : IDisposable
{
    private const int Steps = 150;

    private static readonly NatLimits s_limits = new() { TcpFlows = 24, TcpHalfOpen = 12, UdpMappings = 16, EchoMappings = 8, Peers = 32 };

    private readonly Mutator _mutator = new(Corpus.Read("frames"));
    private readonly Socket _server = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true, Blocking = false };
    private byte[]? _lastSegment;
    private byte[] _current = [];

    public GuestUnderFire()
    {
        _server.Bind(new IPEndPoint(IPAddress.IPv6Any, 80));
        _server.Listen(1_000);
    }

    /// <summary>Frames that left.</summary>
    public long Sent { get; private set; }

    /// <summary>Of them: to groups.</summary>
    public long ToGroups { get; private set; }

    public void Dispose() => _server.Dispose();

    public void Run(int seed)
    {
        try
        {
            Torment(new Random(seed));
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"seed {seed}, frame {Convert.ToHexString(_current)}: {error.Message}", error);
        }
    }

    private void Torment(Random random)
    {
        var scene = new GuestScene(s_limits, dns: ["192.0.2.2"]);
        var check = new FrameCheck(scene.Configuration, scene.Link.Mtu);
        scene.Link.Forgets = scene.OtherLink.Forgets = true;
        scene.OtherLink.Watcher = check.ToNeighbor;
        scene.Link.Watcher = (offload, frame) =>
        {
            check.ToGuest(offload, frame);
            if (frame[12] == 8 && frame[23] == (byte)IpProtocol.Tcp)
                _lastSegment = frame;
        };
        foreach (IpAddress group in FrameCheck.NeighborsGroups)
            Assert.True(scene.Other.Groups!.TryJoin(group, scene.Loop.Now));
        long passed = 0;
        for (int i = 0; i < Steps; i++)
        {
            switch (random.Next(12))
            {
                case 0:
                    scene.Loop.Post(() => { });
                    scene.Loop.Once();
                    break;
                case 1:
                    passed += random.NextInt64(1L << random.Next(10, 28));
                    scene.Loop.Timers.Advance(scene.Loop.Now + passed);
                    break;
                case 2:
                    scene.Link.IsFull = random.Next(4) == 0;
                    break;
                case 3:
                    while (_server.Poll(0, SelectMode.SelectRead))
                        Serve(_server.Accept(), random);
                    break;
                default:
                    _current = random.Next(4) == 0 && _lastSegment is not null ? Answer(_lastSegment, random) : Broken(random);
                    scene.Guest.Receive(Offload(random), _current, scene.Loop.Now + passed);
                    break;
            }
            Assert.InRange(scene.Guest.Tcp.Count, 0, s_limits.TcpFlows);
            Assert.InRange(scene.Guest.Tcp.Opening, 0, s_limits.TcpHalfOpen);
            Assert.InRange(scene.Guest.Udp.Count, 0, s_limits.UdpMappings);
            Assert.InRange(scene.Guest.Udp.PeersLeft, 0, s_limits.Peers);
            Assert.InRange(scene.Guest.EchoNat.Count, 0, s_limits.EchoMappings);
            Assert.InRange(scene.Guest.Reassembly.Count, 0, Reassembly.Datagrams);
            Assert.InRange(scene.Guest.Dns.Count, 0, 1_024);
            Assert.InRange(scene.Guest.Groups!.Count, 0, GroupMember.Limit);
        }
        Sent += check.Count;
        ToGroups += check.Groups;
        scene.Link.IsFull = false;
        scene.Dispose();
        Assert.Equal((0, 0, 0, 0), (scene.Guest.Tcp.Count, scene.Guest.Tcp.Opening, scene.Guest.Udp.Count, scene.Guest.EchoNat.Count));
        Assert.Equal((0, 0, 0), (scene.Guest.Tcp.Stack.SendBlocks.InUse, scene.Guest.Tcp.Stack.SmallSendBlocks.InUse, scene.Guest.Tcp.Stack.ReceiveBlocks.InUse));
        Assert.Equal((0, s_limits.Peers), (scene.Guest.Dns.Count, scene.Guest.Udp.PeersLeft));
    }

    private byte[] Broken(Random random)
    {
        byte[] frame = _mutator.Next(random);
        if (random.Next(8) > 0)
        {
            // Nothing is learnt of frames that fall at the first hurdle.
            if (frame.Length >= EthernetFrame.HeaderSize)
                GuestScene.Mac.Write(frame.AsSpan(MacAddress.Size));
            Repair.Frame(frame, lengths: random.Next(3) > 0);
        }
        return frame;
    }

    private static VirtioNetHeader Offload(Random random)
    {
        if (random.Next(4) > 0)
            return default;
        Span<byte> bytes = stackalloc byte[VirtioNetHeader.Size];
        random.NextBytes(bytes);
        return VirtioNetHeader.Read(bytes);
    }

    /// <summary>A segment that answers one of the gateway's: its acknowledgment, data, its end, or a reset; now and then a little off.</summary>
    private static byte[] Answer(byte[] frame, Random random)
    {
        Ipv4Packet.TryParse(frame.AsSpan(EthernetFrame.HeaderSize), out Ipv4Packet packet, checkHeader: false);
        if (TcpSegment.TryParse(packet.Payload, packet.Source, packet.Destination, out TcpSegment segment, checkSum: false) != WireFault.None)
            return frame;
        TcpFlags flags = random.Next(10) switch { 0 => TcpFlags.Fin | TcpFlags.Ack, 1 => TcpFlags.Rst, 2 => (TcpFlags)random.Next(256), _ => TcpFlags.Ack };
        uint sequence = segment.Acknowledgment.Value + (random.Next(5) == 0 ? (uint)random.Next(-2_000, 70_000) : 0);
        uint acknowledgment = (segment.Sequence + segment.SequenceLength).Value + (random.Next(8) == 0 ? (uint)random.Next(-5_000, 5_000) : 0);
        byte[] options = random.Next(4) == 0 ? [5, 10, 0, 0, 0, 1, 0, 0, 0, 9, 1, 1] : [];
        string guest = packet.Destination.ToString(), remote = packet.Source.ToString();
        byte[] answer = Frames.Segment(guest, remote, segment.DestinationPort, segment.SourcePort, sequence, acknowledgment, flags, options, new byte[random.Next(3) == 0 ? 0 : random.Next(1_400)]);
        return Frames.Ip(MacAddress.Read(frame.AsSpan(MacAddress.Size)), GuestScene.Mac, Frames.Packet(guest, remote, IpProtocol.Tcp, answer));
    }

    private static void Serve(Socket socket, Random random)
    {
        using (socket)
        {
            socket.Blocking = false;
            try
            {
                if (random.Next(2) == 0)
                    socket.Send(new byte[random.Next(100_000)]);
                socket.Receive(new byte[random.Next(1, 10_000)]);
                if (random.Next(2) == 0)
                    socket.LingerState = new LingerOption(true, 0); // a reset
            }
            catch (SocketException)
            {
                // nothing there, or gone
            }
        }
    }
}
