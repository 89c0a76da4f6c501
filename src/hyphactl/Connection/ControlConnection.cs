using System.Net;
using System.Net.Sockets;
using Grpc.Net.Client;
using Hypha.Protocol.Control;

namespace Hypha.Ctl.Connection;

/// <summary>hyphad's control API over its unix socket.</summary>
internal sealed class ControlConnection : IDisposable
{
    public const string DefaultSocket = "/run/hypha/hyphad.sock";

    // A stream's window bounds what is under way on an attach; the default 64 KiB makes every 64 KiB wait for an update.
    private const int StreamWindow = 1024 * 1024;

    private readonly string _socket;
    private readonly GrpcChannel _channel;

    public ControlConnection(string socket)
    {
        _socket = socket;
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            InitialHttp2StreamWindowSize = StreamWindow,
            UseProxy = false,
            // No variable of the environment decides where a local call goes or how it is traced.
            ActivityHeadersPropagator = null,
        };
        _channel = GrpcChannel.ForAddress("http://hyphad", new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            HttpVersion = HttpVersion.Version20,
            MaxReceiveMessageSize = 16 * 1024 * 1024,
        });
        Client = new Control.ControlClient(_channel);
    }

    public Control.ControlClient Client { get; }

    public void Dispose() => _channel.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception error)
        {
            socket.Dispose();
            if (error is SocketException reason)
                throw new ConnectionFailure(_socket, reason);
            throw;
        }
    }
}
