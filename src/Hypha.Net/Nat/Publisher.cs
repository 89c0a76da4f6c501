using Hypha.Linux;
using Hypha.Net.Gateway;
using Hypha.Net.Loop;
using Hypha.Net.Policy;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>
/// The guest's published ports: sockets of the host that listen for it. The guest sees who called, where that is an address that it could call
/// itself; who called from the host itself is the gateway to it.
/// </summary>
internal sealed class Publisher : IDisposable
{
    private readonly GuestSockets _guest;
    private readonly GuestConfiguration _configuration;
    private readonly TcpNat _tcp;
    private readonly DatagramNat _udp;
    private readonly Gate _gate;
    private readonly List<TcpListeningSocket> _sockets = [];
    private ushort _port = 32_768;

    public Publisher(GuestSockets guest, GuestConfiguration configuration, TcpNat tcp, DatagramNat udp, Gate gate)
    {
        _guest = guest;
        _configuration = configuration;
        _tcp = tcp;
        _udp = udp;
        _gate = gate;
    }

    /// <exception cref="IOException">A port is taken, or may not be listened on. Those before it stay.</exception>
    public void Publish(in PublishedPort published)
    {
        for (int i = 0; i < published.Count; i++)
        {
            ushort hostPort = (ushort)(published.HostPort + i), guestPort = (ushort)(published.GuestPort + i);
            // Over all addresses: a socket for each family, as IPv4 in IPv6's clothes would only be undressed again.
            if (published.Host is { } one)
            {
                Listen(one, hostPort, guestPort, published);
                continue;
            }
            Listen(IpAddress.OfV4(0), hostPort, guestPort, published);
            Listen(default, hostPort, guestPort, published);
        }
    }

    /// <summary>Publishes for as long as somebody wants it: TCP alone.</summary>
    /// <returns>Ends it, also when this object is gone by then.</returns>
    /// <exception cref="IOException">As for <see cref="Publish"/>; none of them stays.</exception>
    public IDisposable Forward(in PublishedPort published)
    {
        int before = _sockets.Count;
        try
        {
            Publish(published);
        }
        catch
        {
            new Forwarding(this, _sockets[before..]).Dispose();
            throw;
        }
        return new Forwarding(this, _sockets[before..]);
    }

    public void Dispose()
    {
        _sockets.ForEach(socket => socket.Dispose());
        _sockets.Clear();
    }

    /// <summary>A connection that the host accepted.</summary>
    internal void Accepted(RawSocket socket, IpAddress peer, ushort port, ushort guestPort, long now)
    {
        if (Target(peer.IsV4) is not { } guest || !_gate.MayEnter(IpProtocol.Tcp, peer, guest, guestPort, now))
        {
            socket.Abort();
            return;
        }
        if (!_configuration.MayShow(peer, guest))
        {
            peer = guest.IsV4 ? _configuration.GatewayV4!.Value : _configuration.GatewayV6!.Value;
            port = NextPort();
        }
        socket.SetOption(SocketOption.Tcp, SocketOption.NoDelay, 1);
        socket.SetOption(SocketOption.Socket, SocketOption.KeepAlive, 1);
        _tcp.TryOpen(new FlowKey(guest, guestPort, peer, port), socket, now);
    }

    private void Listen(IpAddress address, ushort hostPort, ushort guestPort, in PublishedPort published)
    {
        bool datagrams = published.Protocol == IpProtocol.Udp;
        if (Target(address.IsV4) is not { } guest || (datagrams && guest.IsV4 != address.IsV4))
            return; // the guest has no address to lead to
        RawSocket socket = Bind(address, hostPort, datagrams, published);
        if (!socket.IsOpen)
            return;
        if (datagrams)
            _udp.Publish(new FlowKey(guest, guestPort, default, 0), socket);
        else
            _sockets.Add(new TcpListeningSocket(_guest, this, socket, guestPort));
    }

    private static RawSocket Bind(IpAddress address, ushort port, bool datagrams, in PublishedPort published)
    {
        const int addressFamilyNotSupported = 97;
        string what = $"publishing {published}: listening on port {port}";
        RawSocket socket = RawSocket.Open(HostAddress.Family(address), datagrams ? RawSocket.Datagram : RawSocket.Stream);
        if (!socket.IsOpen)
        {
            // A host without IPv6 has no IPv6 port to publish.
            return -socket.Number == addressFamilyNotSupported && address == default ? socket : throw new LinuxException(what, (Errno)(-socket.Number));
        }
        if (!address.IsV4)
            socket.SetOption(SocketOption.Ipv6, SocketOption.OnlyV6, 1);
        if (!datagrams)
            socket.SetOption(SocketOption.Socket, SocketOption.ReuseAddress, 1);
        Span<byte> name = stackalloc byte[HostAddress.MaximumSize];
        int result = socket.Bind(HostAddress.Write(name, address, port));
        if (result == 0 && !datagrams)
            result = socket.Listen(4_096);
        if (result == 0)
            return socket;
        socket.Close();
        return -result == (int)Errno.EADDRNOTAVAIL && address == default ? RawSocket.None : throw new LinuxException(what, (Errno)(-result));
    }

    /// <summary>The guest's address of a family, or of the other when it has none of it.</summary>
    private IpAddress? Target(bool v4) => v4 ? (_configuration.V4 ?? _configuration.V6)?.Address : (_configuration.V6 ?? _configuration.V4)?.Address;

    private sealed class Forwarding(Publisher publisher, List<TcpListeningSocket> sockets) : IDisposable
    {
        public void Dispose()
        {
            foreach (TcpListeningSocket socket in sockets)
            {
                if (publisher._sockets.Remove(socket))
                    socket.Dispose();
            }
        }
    }

    private ushort NextPort() => _port = _port == ushort.MaxValue ? (ushort)32_768 : (ushort)(_port + 1);
}
