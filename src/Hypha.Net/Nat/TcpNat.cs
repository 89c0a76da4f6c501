using Hypha.Linux;
using Hypha.Net.Loop;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>
/// A guest's TCP to the outside: each connection is a socket of the host. The guest's SYN is answered once that socket is connected, so that
/// refused stays refused, and unreachable unreachable.
/// </summary>
public sealed class TcpNat(GuestSockets sockets, TcpEndpoint endpoint, IUnreachable unreachable) : ITcpListener
{
    internal EventLoop Loop => Sockets.Loop;

    internal GuestSockets Sockets { get; } = sockets;

    internal TcpEndpoint Endpoint { get; } = endpoint;

    /// <summary>Connections that the destination, or the way to it, refused.</summary>
    public ulong Failed { get; private set; }

    /// <summary>Connections that were not begun since the host had no descriptor or memory for them.</summary>
    public ulong NoDescriptor { get; private set; }

    /// <inheritdoc/>
    public void Open(in FlowKey key, in TcpSegment syn, long now) => Open(key, syn, key.Remote, key.RemotePort, now);

    /// <summary>Joins a guest's connection to somebody else than it believes.</summary>
    public void Open(in FlowKey key, in TcpSegment syn, IpAddress to, ushort port, long now)
    {
        RawSocket socket = RawSocket.Open(HostAddress.Family(to), RawSocket.Stream);
        if (!socket.IsOpen)
        {
            // EMFILE, ENFILE, ENOBUFS: the host's want, not the destination's. The guest asks again.
            NoDescriptor++;
            return;
        }
        socket.SetOption(SocketOption.Tcp, SocketOption.NoDelay, 1);
        socket.SetOption(SocketOption.Socket, SocketOption.KeepAlive, 1);
        Span<byte> address = stackalloc byte[HostAddress.MaximumSize];
        int result = socket.Connect(HostAddress.Write(address, to, port));
        if (NewFlow(key, socket) is not { } flow)
            return;
        flow.Begin(syn, now);
        if (result != 0 && -result != (int)Errno.EINPROGRESS)
            Refuse(flow, (Errno)(-result), now);
    }

    /// <summary>Opens a connection to the guest for one that the host accepted.</summary>
    /// <param name="key">The remote part is of an address that the gateway speaks for.</param>
    /// <param name="socket">Becomes this object's, also when nothing comes of it.</param>
    public bool TryOpen(in FlowKey key, RawSocket socket, long now)
    {
        if (Endpoint.Has(key) || !Endpoint.MayBegin())
        {
            socket.Abort();
            return false;
        }
        if (NewFlow(key, socket) is not { } flow)
            return false;
        flow.Open(now);
        return true;
    }

    internal void Refuse(TcpFlow flow, Errno error, long now)
    {
        Failed++;
        flow.Refuse(reset: !unreachable.Tell(flow.Key, flow.FirstSequence, error, now));
    }

    private TcpFlow? NewFlow(in FlowKey key, RawSocket socket)
    {
        try
        {
            var flow = new TcpFlow(this, key, socket);
            Endpoint.Add(flow);
            return flow;
        }
        catch (LinuxException)
        {
            NoDescriptor++;
            socket.Abort();
            return null;
        }
    }
}
