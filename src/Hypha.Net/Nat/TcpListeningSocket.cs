using Hypha.Linux;
using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>A TCP socket of the host that listens for a guest.</summary>
internal sealed class TcpListeningSocket : Loop.Timer, IFileWatcher, IDisposable
{
    private const int AcceptedAtOnce = 16;
    private const long Pause = 100 * MonotonicClock.Millisecond;

    private readonly EventLoop _loop;
    private readonly Publisher _publisher;
    private readonly RawSocket _socket;
    private readonly ushort _guestPort;
    private readonly ulong _token;

    /// <param name="socket">Listens; closed with this object.</param>
    public TcpListeningSocket(GuestSockets sockets, Publisher publisher, RawSocket socket, ushort guestPort)
    {
        _loop = sockets.Loop;
        _publisher = publisher;
        _socket = socket;
        _guestPort = guestPort;
        _token = sockets.Add(socket.Number, EpollEvents.Readable, this);
    }

    public void Ready(EpollEvents events, long now)
    {
        Span<byte> name = stackalloc byte[HostAddress.MaximumSize];
        for (int i = 0; i < AcceptedAtOnce; i++)
        {
            RawSocket accepted = _socket.Accept(name, out int length);
            if (accepted.IsOpen)
            {
                if (HostAddress.TryRead(name[..length], out IpAddress peer, out ushort port))
                    _publisher.Accepted(accepted, peer, port, _guestPort, now);
                else
                    accepted.Abort();
                continue;
            }
            // Out of descriptors or memory: those who call wait in the kernel's queue, and we look again a little later.
            if (-accepted.Number is (int)Errno.EMFILE or (int)Errno.ENFILE or (int)Errno.ENOBUFS or (int)Errno.ENOMEM)
            {
                _loop.Change(_socket.Number, EpollEvents.None, _token);
                _loop.Timers.Set(this, now + Pause);
            }
            return;
        }
    }

    public void Dispose()
    {
        _loop.Timers.Clear(this);
        _loop.Remove(_socket.Number, _token);
        _socket.Close();
    }

    protected internal override void Expire(long now) => _loop.Change(_socket.Number, EpollEvents.Readable, _token);
}
