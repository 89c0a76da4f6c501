using Hypha.Linux;
using Hypha.Net.Capture;
using Hypha.Net.Dhcp;
using Hypha.Net.Dns;
using Hypha.Net.Ip;
using Hypha.Net.Link;
using Hypha.Net.Loop;
using Hypha.Net.Nat;
using Hypha.Net.Policy;
using Hypha.Net.Switch;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>
/// One guest at its link: takes each of its frames apart, checks who sent it, and gives it to whom it is for. Everything here is bytes of a
/// hostile guest until a parser has looked at them.
/// </summary>
public sealed partial class Attachment : IFrameReceiver, IFileWatcher, IDisposable
{
    private const int FramesPerTurn = 128;
    private const int FramesAtOnce = 8; // between looks at the clock
    private const int LeastBurst = 64; // frames, however few a guest may send in a second

    private readonly EventLoop _loop;
    private readonly GuestSockets _sockets;
    private readonly ILink _link;
    private readonly GuestConfiguration _configuration;
    private readonly NetworkSwitch? _network;
    private readonly GuestOutput _output;
    private readonly Gate _gate;
    private readonly Neighbors _neighbors;
    private readonly TcpEndpoint _tcp;
    private readonly TcpNat _tcpNat;
    private readonly DatagramNat _udp, _echo;
    private readonly Reassembly _reassembly;
    private readonly DhcpServer _dhcp;
    private readonly Dhcp6Server _dhcp6;
    private readonly DnsForwarder _dns;
    private readonly DnsTcpListener _dnsTcp;
    private readonly Publisher _publisher;
    private readonly Pace? _pace;
    private readonly ulong _token;
    private TokenBucket _packets;
    private MacAddress _guest;

    /// <param name="network">Whom the guest shares its network with; null for nobody.</param>
    /// <param name="resolver">Whom the host asks for names.</param>
    /// <param name="log">Told of flows that the policy denies, a few a minute; null for nobody.</param>
    public Attachment(EventLoop loop, ILink link, GuestConfiguration configuration, NetworkSwitch? network = null, HostResolver? resolver = null, Action<string>? log = null)
    {
        _network = network;
        _loop = loop;
        _sockets = new GuestSockets(loop);
        _link = link;
        _configuration = configuration;
        PolicyLimits limits = configuration.Policy.Limits;
        _pace = limits.Out is { } rate ? Pace.OfDropped(loop, rate) : null;
        if (limits.Packets is { } packets)
            _packets = new TokenBucket(packets, Math.Max(packets / 4, LeastBurst));
        _output = new GuestOutput(link, configuration.GatewayMac, limits.In is { } rateIn ? Pace.OfWaiting(loop, rateIn) : null);
        if (configuration.Mac is { } mac)
            Learn(mac);
        _gate = new Gate(configuration.Policy, log is null ? null : new DenialLog(loop.Timers, log));
        _neighbors = new Neighbors(loop, configuration, _output, network);
        _tcp = new TcpEndpoint(loop, _output, link.Mtu, link.Segments, Math.Min(configuration.Limits.TcpFlows, limits.Flows ?? int.MaxValue), configuration.Limits.TcpHalfOpen, limits.New);
        _tcpNat = new TcpNat(_sockets, _tcp, this);
        _udp = new DatagramNat(_sockets, configuration, _output, _gate, this, IpProtocol.Udp, configuration.Limits.UdpMappings, configuration.Limits.Peers);
        _echo = new DatagramNat(_sockets, configuration, _output, _gate, this, IpProtocol.Icmp, configuration.Limits.EchoMappings, configuration.Limits.Peers);
        _groups = network is null ? null : new GroupMember(this, configuration, _output, loop.Timers, network);
        _dhcp = new DhcpServer(configuration, _output);
        _dhcp6 = new Dhcp6Server(configuration, _output);
        _reassembly = new Reassembly(loop.Timers, (beginning, now) => Tell(beginning, IcmpProblem.ReassemblyTimeExceeded(beginning[0] >> 4 == 4), now));
        _dns = new DnsForwarder(_sockets, configuration, _output, resolver ?? new HostResolver(), network, _gate);
        _dnsTcp = new DnsTcpListener(_dns, _tcpNat);
        _publisher = new Publisher(_sockets, configuration, _tcpNat, _udp, _gate);
        _token = loop.Add(link.FileDescriptor, EpollEvents.Readable | EpollEvents.Writable | EpollEvents.EdgeTriggered, this);
    }

    public GuestConfiguration Configuration => _configuration;

    public GuestCounters Counters => _counters with
    {
        Denied = _gate.DeniedOut,
        DeniedIn = _gate.DeniedIn,
        NamesRefused = _dns.Counters.Refused,
        LimitedIn = _output.Limited,
        FlowsOverLimit = _tcp.OverLimit,
    };

    private GuestCounters _counters;

    /// <summary>Tells the guest that it is served from now on, and asks for the groups that it is in.</summary>
    public void Announce()
    {
        _neighbors.Announce();
        _groups?.AskFirst();
    }

    /// <summary>It is not on its network any more.</summary>
    internal void LeaveGroups() => _groups?.Clear();

    /// <summary>Leads the host's ports of the guest's configuration to it.</summary>
    /// <param name="failed">Told of each that cannot be; null throws.</param>
    /// <exception cref="IOException">A port is taken, or may not be listened on.</exception>
    public void Publish(Action<string>? failed = null)
    {
        foreach (PublishedPort port in _configuration.Published)
        {
            try
            {
                _publisher.Publish(port);
            }
            catch (IOException error) when (failed is not null)
            {
                failed(error.Message);
            }
        }
    }

    /// <summary>Leads a port of the host to the guest until what is returned is disposed.</summary>
    /// <exception cref="IOException">The port is taken, or may not be listened on.</exception>
    public IDisposable Forward(in PublishedPort port) => _publisher.Forward(port);

    public void Ready(EpollEvents events, long now)
    {
        if ((events & EpollEvents.Writable) != 0)
        {
            _link.RoomAgain();
            _tcp.RoomAgain(now);
        }
        // With frames left over it has its place at the end of this turn, and an event meanwhile is no second one.
        if ((events & ~EpollEvents.Writable) != 0 && !_queued)
            ReceiveFrames(now);
    }

    public void Receive(in VirtioNetHeader offload, ReadOnlySpan<byte> frame, long now)
    {
        _output.Capture?.Take(FrameDirection.Inbound, frame);
        _counters.FramesIn++;
        _counters.BytesIn += (ulong)frame.Length;
        if (!IsWithinLimits(frame.Length, now))
        {
            _counters.LimitedOut++;
            return;
        }
        if (EthernetFrame.TryParse(frame, out EthernetFrame ethernet) != WireFault.None)
        {
            _counters.Malformed++;
            return;
        }
        MacAddress source = ethernet.Source;
        if (source != _guest)
        {
            // Alone on its link it may be whoever it wants; but not us.
            if (_configuration.Mac is not null || source == _configuration.GatewayMac)
            {
                _counters.Spoofed++;
                return;
            }
            Learn(source);
        }
        // Who has which address is asked of the gateway, whomever a guest believes to ask.
        if (!ethernet.Destination.IsGroup && ethernet.Destination != _configuration.GatewayMac && !Neighbors.IsDiscovery(ethernet))
        {
            if (_network is not null && _network.TryFind(ethernet.Destination, out Attachment? member) && member != this)
                Forward(member, offload, ethernet, frame, now);
            else
                _counters.Ignored++;
            return;
        }
        if (ethernet.Destination.IsGroup && ReceiveGroup(offload, ethernet, frame, now))
            return;
        switch (ethernet.Type)
        {
            case EtherType.Arp:
                Count(_neighbors.ReceiveArp(ethernet.Payload, _guest));
                break;
            case EtherType.Ipv4:
                ReceiveV4(ethernet.Payload, offload, now);
                break;
            case EtherType.Ipv6:
                ReceiveV6(ethernet.Payload, offload, now);
                break;
            default:
                _counters.Unsupported++;
                break;
        }
    }

    public void Dispose()
    {
        _publisher.Dispose();
        _neighbors.Close();
        LeaveGroups();
        _gate.Close();
        _dns.Close();
        _reassembly.Clear();
        _tcp.Close();
        _udp.Close();
        _echo.Close();
        while (_output.Capture is { } capture)
            Remove(capture);
        _loop.Remove(_link.FileDescriptor, _token);
        _link.Dispose();
    }

    private bool IsWithinLimits(int length, long now) =>
        (_configuration.Policy.Limits.Packets is null || _packets.TryTake(1, now)) && (_pace is null || _pace.MayPass(length, bulk: length > GuestOutput.SmallFrame));

    private void Learn(MacAddress mac) => _output.Guest = _guest = mac;

    private void Count(Answer answer)
    {
        switch (answer)
        {
            case Answer.Malformed:
                _counters.Malformed++;
                break;
            case Answer.Spoofed:
                _counters.Spoofed++;
                break;
            case Answer.Ignored:
                _counters.Ignored++;
                break;
        }
    }
}
