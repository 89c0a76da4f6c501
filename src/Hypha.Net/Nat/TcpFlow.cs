using Hypha.Linux;
using Hypha.Net.Loop;
using Hypha.Net.Tcp;

namespace Hypha.Net.Nat;

/// <summary>A guest's TCP connection joined to a socket of the host.</summary>
internal sealed class TcpFlow : TcpConnection, IFileWatcher
{
    public const EpollEvents Events = EpollEvents.Readable | EpollEvents.Writable | EpollEvents.PeerClosed | EpollEvents.EdgeTriggered;

    private readonly TcpNat _nat;
    private RawSocket _socket;
    private readonly ulong _token;
    private bool _peerClosed;

    /// <param name="socket">Connecting, or connected; closed with the flow.</param>
    /// <exception cref="LinuxException">ENOSPC, ENOMEM: no more files can be waited for. The socket is the caller's still.</exception>
    public TcpFlow(TcpNat nat, in FlowKey key, RawSocket socket) : base(nat.Endpoint.Stack, key)
    {
        _nat = nat;
        _socket = socket;
        _token = nat.Sockets.Add(socket.Number, Events, this);
    }

    public void Ready(EpollEvents events, long now)
    {
        if (State == TcpState.Connecting)
        {
            if ((events & (EpollEvents.Writable | EpollEvents.Error | EpollEvents.HangUp)) == 0)
                return;
            int error = (events & (EpollEvents.Error | EpollEvents.HangUp)) != 0 ? _socket.TakeError() : 0;
            if (error != 0)
            {
                _nat.Refuse(this, (Errno)(-error), now);
                return;
            }
            Accept(now);
        }
        if ((events & EpollEvents.Error) != 0)
        {
            StreamBroken();
            return;
        }
        if ((events & (EpollEvents.PeerClosed | EpollEvents.HangUp)) != 0)
            _peerClosed = true;
        if ((events & EpollEvents.Writable) != 0)
            StreamWritable(now);
        if ((events & (EpollEvents.Readable | EpollEvents.PeerClosed | EpollEvents.HangUp)) != 0 && State != TcpState.Closed)
            StreamReadable();
    }

    protected override bool EndExpected => _peerClosed;

    protected override int Write(ReadOnlySpan<byte> bytes)
    {
        int taken = _socket.Send(bytes);
        return taken == NothingYet ? 0 : taken;
    }

    protected override int Read(Span<byte> to) => _socket.Receive(to);

    protected override void EndWriting() => _socket.ShutdownWrite();

    protected override void Release(TcpEnd end)
    {
        _nat.Loop.Forget(_token);
        if (end == TcpEnd.Finished)
            _socket.Close();
        else
            _socket.Abort();
        _socket = RawSocket.None;
    }
}
