using Hypha.Linux;
using Hypha.Net.Loop;
using Hypha.Net.Tcp;
using Hypha.Net.Telemetry;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>
/// A guest's port (or echo identifier), and the host's socket that speaks for it to whomever: the mapping does not depend on the other end
/// (RFC 4787 REQ-1), what comes in is passed on from those alone whom the guest has spoken to (REQ-8, address-dependent filtering).
/// </summary>
internal abstract class DatagramFlow : Loop.Timer, IFlow, IFileWatcher
{
    /// <summary>RFC 4787 REQ-5: two minutes at least once it is used both ways; one that nobody answered goes sooner.</summary>
    private const long Unanswered = 60 * MonotonicClock.Second, Answered = 180 * MonotonicClock.Second;

    private const int DatagramsPerTurn = 32;
    private const int LargestDatagram = 65_536;
    private const int MostPeers = 1_024;

    /// <summary>One for all flows of a loop, and so of a thread: what is in it has been passed on when <see cref="Ready"/> returns.</summary>
    [ThreadStatic]
    private static ReceiveBatch? s_received;

    private readonly DatagramNat _nat;
    private readonly RawSocket _socket;
    private readonly ulong _token;
    private IpAddress _lastPeer;
    private HashSet<IpAddress>? _peers;
    private Dictionary<ushort, IpAddress>? _behindGateway;
    private byte _hopLimit;
    private ushort _lastPort;
    private bool _answered, _whole;
    private long _lastUsed;
    private readonly long _begunAt;

    /// <exception cref="LinuxException">No more files can be waited for; the socket is the caller's still.</exception>
    protected DatagramFlow(DatagramNat nat, in FlowKey key, RawSocket socket)
    {
        _nat = nat;
        _socket = socket;
        _begunAt = _lastUsed = nat.Loop.Now;
        Key = key;
        bool v4 = key.Guest.IsV4;
        socket.SetOption(v4 ? SocketOption.Ip : SocketOption.Ipv6, v4 ? SocketOption.ReceiveErrors : SocketOption.ReceiveErrorsV6, 1);
        _token = nat.Sockets.Add(socket.Number, EpollEvents.Readable, this);
    }

    /// <summary>The guest's end; the remote part is empty.</summary>
    public FlowKey Key { get; }

    /// <summary>Anybody may begin, and it does not expire.</summary>
    public bool IsPublished { get; init; }

    /// <summary>Payload that the guest sent, and that was passed on to it.</summary>
    public long BytesFromGuest { get; private set; }

    public long BytesToGuest { get; private set; }

    protected DatagramNat Nat => _nat;

    /// <summary>What it is just now; the other end is whom the guest spoke to last, or who called last.</summary>
    public FlowRecord Record(IpProtocol protocol, long now) => new(protocol, Key with { Remote = _lastPeer, RemotePort = _lastPort },
        IsPublished ? "published" : _answered ? "answered" : "unanswered", BytesFromGuest, BytesToGuest,
        (now - _begunAt) / MonotonicClock.Millisecond, (now - _lastUsed) / MonotonicClock.Millisecond);

    /// <summary>Sends what the guest sent.</summary>
    /// <param name="hopLimit">What the packet has left, so that a guest sees the routers on its way.</param>
    /// <param name="whole">It may not be cut on its way (IPv4's DF).</param>
    public void Send(IpAddress peer, ushort port, ReadOnlySpan<byte> bytes, byte hopLimit, bool whole, long now)
    {
        Remember(peer);
        _lastPort = port;
        BytesFromGuest += bytes.Length;
        Touch(now);
        if (_nat.Run is { } run)
            run.Add(this, new DatagramRoute(peer, port, hopLimit, whole), bytes, now);
        else
            Emit(new DatagramRoute(peer, port, hopLimit, whole), bytes, bytes.Length, now);
    }

    /// <summary>Has the host's socket send what was put together.</summary>
    /// <param name="bytes">Datagrams of one size behind each other; the last may be shorter.</param>
    /// <param name="size">Theirs, in bytes.</param>
    internal void Emit(in DatagramRoute route, ReadOnlySpan<byte> bytes, int size, long now)
    {
        Prepare(route.HopLimit, route.Whole);
        Span<byte> address = stackalloc byte[HostAddress.MaximumSize];
        ReadOnlySpan<byte> to = HostAddress.Write(address, route.Peer, route.Port);
        if (bytes.Length > size && _socket.SendSegments(bytes, to, (ushort)size) >= 0)
            return;
        // One by one: there is but one, or they are too long for the way, which is told of each, or the host cannot cut.
        do
        {
            ReadOnlySpan<byte> datagram = bytes[..Math.Min(size, bytes.Length)];
            bytes = bytes[datagram.Length..];
            int sent = _socket.SendTo(datagram, to);
            // An error that waited for us is told once, instead of sending: it is of an earlier datagram, and lies in the error queue, too.
            if (sent < 0 && -sent is (int)Errno.ECONNREFUSED or (int)Errno.EHOSTUNREACH or (int)Errno.ENETUNREACH)
                sent = _socket.SendTo(datagram, to);
            if (sent < 0)
                _nat.Failed(this, route.Peer, route.Port, datagram, (Errno)(-sent), now);
            if (-sent == (int)Errno.EAGAIN)
                return; // the host's buffer is full: nor would the others find room
        }
        while (bytes.Length > 0);
    }

    public void Ready(EpollEvents events, long now)
    {
        if ((events & EpollEvents.Error) != 0)
            ReceiveErrors(now);
        ReceiveBatch batch = s_received ??= new ReceiveBatch(DatagramsPerTurn, LargestDatagram, HostAddress.MaximumSize);
        int got = batch.Receive(_socket.Number, DatagramsPerTurn);
        for (int i = 0; i < got; i++)
        {
            Span<byte> bytes = batch[i];
            if (!HostAddress.TryRead(batch.Address(i), out IpAddress peer, out ushort port) || !(IsPublished || IsPeer(peer)))
            {
                _nat.Counters.Unexpected++;
                continue;
            }
            // What it gets from those whom it has spoken to is an answer.
            if (IsPublished && !IsPeer(peer) && !_nat.Gate.MayEnter(IpProtocol.Udp, peer, Key.Guest, Key.GuestPort, now))
                continue;
            _answered = true;
            BytesToGuest += bytes.Length;
            Touch(now);
            if (IsPublished)
            {
                Remember(peer);
                _lastPort = port;
                peer = Shown(peer, port);
            }
            Deliver(peer, port, bytes);
        }
    }

    protected internal override void Expire(long now)
    {
        long due = _lastUsed + (_answered ? Answered : Unanswered);
        if (now < due)
            _nat.Loop.Timers.Set(this, due);
        else
            _nat.Remove(this);
    }

    public void Close()
    {
        _nat.Run?.Leave(this);
        Forget();
        _nat.Loop.Timers.Clear(this);
        _nat.Loop.Remove(_socket.Number, _token);
        _socket.Close();
    }

    /// <summary>Passes on to the guest what came.</summary>
    protected abstract void Deliver(IpAddress peer, ushort port, Span<byte> bytes);

    /// <summary>Writes the guest's own packet, from its transport header on, as far as it is known: an ICMP error quotes it.</summary>
    /// <returns>How many bytes.</returns>
    public abstract int Quote(Span<byte> to, IpAddress peer, ushort port, ReadOnlySpan<byte> bytes);

    private void ReceiveErrors(long now)
    {
        Span<byte> address = stackalloc byte[HostAddress.MaximumSize];
        Span<byte> control = stackalloc byte[256], datagram = stackalloc byte[DatagramNat.Quoted];
        for (int i = 0; i < DatagramsPerTurn; i++)
        {
            int got = _socket.ReceiveMessage(datagram, address, out int length, control, out int controlLength, errorQueue: true);
            if (got < 0)
                return;
            if (HostAddress.TryRead(address[..length], out IpAddress peer, out ushort port) && SocketError.TryRead(control[..controlLength], out SocketError error))
                _nat.Report(this, peer, port, datagram[..got], error, now);
        }
    }

    /// <summary>Who the guest sees: somebody on the host itself is the gateway to it.</summary>
    private IpAddress Shown(IpAddress peer, ushort port)
    {
        if (_nat.Configuration.MayShow(peer, Key.Guest))
            return peer;
        _behindGateway ??= [];
        if (_behindGateway.Count >= MostPeers)
            _behindGateway.Clear();
        _behindGateway[port] = peer;
        return (Key.Guest.IsV4 ? _nat.Configuration.GatewayV4 : _nat.Configuration.GatewayV6)!.Value;
    }

    public bool TryBehindGateway(ushort port, out IpAddress peer)
    {
        peer = default;
        return _behindGateway is not null && _behindGateway.TryGetValue(port, out peer);
    }

    private void Touch(long now)
    {
        _lastUsed = now;
        if (IsPublished)
            return;
        _nat.Loop.Timers.Set(this, now + (_answered ? Answered : Unanswered));
    }

    private void Remember(IpAddress peer)
    {
        if (peer == _lastPeer)
            return;
        if (_lastPeer != default)
        {
            // A guest that speaks to more than that (it scans, or shares files) hears the earlier ones again once it speaks to them again.
            if (_peers is { Count: >= MostPeers } || _nat.PeersLeft < 2)
                Forget();
            if (_nat.PeersLeft >= 2)
            {
                _peers ??= [];
                _nat.PeersLeft -= (_peers.Add(_lastPeer) ? 1 : 0) + (_peers.Add(peer) ? 1 : 0);
            }
        }
        _lastPeer = peer;
    }

    private void Forget()
    {
        _nat.PeersLeft += _peers?.Count ?? 0;
        _peers = null;
    }

    public bool HasCalled(IpAddress peer) => IsPeer(peer);

    private bool IsPeer(IpAddress peer) => peer == _lastPeer || (_peers is not null && _peers.Contains(peer));

    private void Prepare(byte hopLimit, bool whole)
    {
        bool v4 = Key.Guest.IsV4;
        if (hopLimit != _hopLimit)
        {
            _hopLimit = hopLimit;
            _socket.SetOption(v4 ? SocketOption.Ip : SocketOption.Ipv6, v4 ? SocketOption.TimeToLive : SocketOption.HopLimit, hopLimit);
        }
        if (whole == _whole)
            return;
        _whole = whole;
        const int dont = 0, @do = 2; // IP_PMTUDISC_DONT, IP_PMTUDISC_DO
        _socket.SetOption(v4 ? SocketOption.Ip : SocketOption.Ipv6, v4 ? SocketOption.MtuDiscover : SocketOption.MtuDiscoverV6, whole ? @do : dont);
    }
}

/// <summary>A guest's UDP port.</summary>
internal sealed class UdpFlow(DatagramNat nat, in FlowKey key, RawSocket socket) : DatagramFlow(nat, key, socket)
{
    protected override void Deliver(IpAddress peer, ushort port, Span<byte> bytes) =>
        Nat.Output.TryPassUdp(peer, port, Key.Guest, Key.GuestPort, bytes);

    public override int Quote(Span<byte> to, IpAddress peer, ushort port, ReadOnlySpan<byte> bytes)
    {
        to = to[..(UdpDatagram.HeaderSize + bytes.Length)];
        bytes.CopyTo(to[UdpDatagram.HeaderSize..]);
        UdpDatagram.WriteHeader(to, Key.Guest, peer, Key.GuestPort, port);
        return to.Length;
    }
}

/// <summary>A guest's echo identifier (ping sockets, icmp(7): the kernel puts its own in and takes it out).</summary>
internal sealed class EchoFlow(DatagramNat nat, in FlowKey key, RawSocket socket) : DatagramFlow(nat, key, socket)
{
    protected override void Deliver(IpAddress peer, ushort port, Span<byte> bytes)
    {
        if (bytes.Length < IcmpMessage.HeaderSize)
            return;
        bool v4 = peer.IsV4;
        uint parameter = (uint)Key.GuestPort << 16 | (uint)bytes[6] << 8 | bytes[7];
        IcmpMessage.WriteHeader(bytes, peer, Key.Guest, v4 ? (byte)IcmpType.EchoReply : (byte)Icmp6Type.EchoReply, 0, parameter);
        Nat.Output.TrySendIp(v4 ? IpProtocol.Icmp : IpProtocol.Icmp6, peer, Key.Guest, bytes);
    }

    public override int Quote(Span<byte> to, IpAddress peer, ushort port, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to);
        if (bytes.Length >= IcmpMessage.HeaderSize)
        {
            to[4] = (byte)(Key.GuestPort >> 8);
            to[5] = (byte)Key.GuestPort;
        }
        return bytes.Length;
    }
}
