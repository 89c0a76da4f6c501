using System.Net.Sockets;
using Google.Protobuf;
using Hypha.Ctl.CommandLine;
using Hypha.Ttrpc;

namespace Hypha.Ctl.Connection;

/// <summary>hyphanet's service (network.proto) over its unix socket.</summary>
internal sealed class NetworkConnection : IDisposable
{
    public const string DefaultSocket = "/run/hyphanet/hyphanet.sock";

    private const string Service = "hypha.network.v1.Network";

    private readonly TtrpcClient _client;

    /// <exception cref="CommandFailure">Nobody answers.</exception>
    public NetworkConnection(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw new CommandFailure(error.SocketErrorCode == SocketError.AccessDenied
                ? $"no permission to use {path}: hyphanet answers root alone. Run it as root: sudo hyphactl …"
                : $"hyphanet is not running: nothing answers at {path}. Start it with: systemctl start hyphanet", ExitCode.Failure, error);
        }
        _client = new TtrpcClient(new NetworkStream(socket, ownsSocket: true));
    }

    public Task<TResponse> CallAsync<TRequest, TResponse>(string method, TRequest request, MessageParser<TResponse> parser, CancellationToken cancellation = default)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse> =>
        _client.CallAsync(Service, method, request, parser, cancellation);

    public void Dispose() => _client.Dispose();
}
