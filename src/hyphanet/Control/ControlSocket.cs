using System.Net.Sockets;
using Hypha.Linux;
using Hypha.Ttrpc;

namespace Hypha.NetworkDaemon.Control;

/// <summary>The unix socket on which hyphanet says what it does. Whoever may open the file may ask: it is of mode 0600.</summary>
internal sealed class ControlSocket : IDisposable
{
    public const string DefaultPath = "/run/hyphanet/hyphanet.sock";

    private const int MostConnections = 32;

    // A question is a name or two; an answer may be a page of flows.
    private static readonly TtrpcLimits s_limits = new() { MaxOutstanding = 8 };

    private readonly string _path;
    private readonly GuestView _guests;
    private readonly Socket _socket;
    private readonly CancellationTokenSource _closed = new();
    private readonly SemaphoreSlim _free = new(MostConnections);

    /// <exception cref="IOException">It is another's, or cannot be made.</exception>
    public ControlSocket(string path, GuestView guests)
    {
        _path = path;
        _guests = guests;
        try
        {
            _socket = Listen(path);
        }
        catch (Exception error) when (error is SocketException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException($"the control socket {path} cannot be made: {error.Message}", error);
        }
        _ = Task.Run(AcceptAsync);
    }

    public void Dispose()
    {
        _closed.Cancel();
        _socket.Dispose();
        File.Delete(_path);
    }

    private static Socket Listen(string path)
    {
        var end = new UnixDomainSocketEndPoint(path);
        if (File.Exists(path))
        {
            using Socket other = New();
            try
            {
                other.Connect(end);
                throw new IOException($"another hyphanet answers at {path}");
            }
            catch (SocketException)
            {
                File.Delete(path); // of one that is gone
            }
        }
        if (Path.GetDirectoryName(path) is { Length: > 0 } directory)
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Socket socket = New();
        // A socket is born with the umask's mode: nobody else may connect before its mode is set.
        int umask = ProcessIdentity.SetUmask(0x7F); // 0177
        try
        {
            socket.Bind(end);
            socket.Listen();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        finally
        {
            ProcessIdentity.SetUmask(umask);
        }
    }

    private static Socket New() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private async Task AcceptAsync()
    {
        while (!_closed.IsCancellationRequested)
        {
            try
            {
                await _free.WaitAsync(_closed.Token).ConfigureAwait(false);
                _ = ServeAsync(await _socket.AcceptAsync(_closed.Token).ConfigureAwait(false));
            }
            catch (SocketException)
            {
                // The one that called has gone, or there is no descriptor just now.
                _free.Release();
                await Task.Delay(100, _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using var service = new NetworkService(_guests);
            using var server = new TtrpcServer(new NetworkStream(socket, ownsSocket: true), service.Services(), s_limits);
            await server.RunAsync(_closed.Token).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It broke the protocol, or went while it was answered: its own connection alone ends.
        }
        finally
        {
            _free.Release();
        }
    }
}
