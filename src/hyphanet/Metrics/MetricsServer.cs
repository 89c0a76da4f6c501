using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Hypha.NetworkDaemon.Control;

namespace Hypha.NetworkDaemon.Metrics;

/// <summary>GET /metrics for Prometheus: HTTP/1.1 (RFC 9112) with a request a connection, one at a time, on a thread of its own.</summary>
internal sealed class MetricsServer : IDisposable
{
    private const int LongestRequest = 8_192; // bytes

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly GuestView _guests;

    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public MetricsServer(IPEndPoint address, GuestView guests)
    {
        _guests = guests;
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _socket.Bind(address);
            _socket.Listen();
        }
        catch (SocketException error)
        {
            _socket.Dispose();
            throw new IOException($"metrics cannot be served at {address}: {error.Message}", error);
        }
        new Thread(Serve) { IsBackground = true, Name = "metrics" }.Start();
    }

    /// <summary>"127.0.0.1:9475", "[::1]:9475".</summary>
    public static bool TryParse(string text, out IPEndPoint? address) =>
        IPEndPoint.TryParse(text, out address) && address.Port != 0 && text.Contains(':', StringComparison.Ordinal);

    public void Dispose() => _socket.Dispose();

    private void Serve()
    {
        while (true)
        {
            try
            {
                using Socket caller = _socket.Accept();
                caller.SendTimeout = (int)s_patience.TotalMilliseconds;
                Answer(caller);
            }
            catch (SocketException error) when (error.SocketErrorCode is not (SocketError.OperationAborted or SocketError.Interrupted))
            {
                // The caller is gone or too slow, or there is no descriptor just now.
                if (error.SocketErrorCode == SocketError.TooManyOpenSockets)
                    Thread.Sleep(s_patience);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return; // closed
            }
        }
    }

    private void Answer(Socket caller)
    {
        (string status, string body) = ReadRequest(caller) switch
        {
            null => ("400 Bad Request", "No request of HTTP's.\n"),
            ["GET", "/metrics", ..] => Metrics(),
            ["GET", ..] => ("404 Not Found", "There is /metrics alone.\n"),
            _ => ("405 Method Not Allowed", "GET alone is answered.\n"),
        };
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        string allow = status.StartsWith("405", StringComparison.Ordinal) ? "Allow: GET\r\n" : "";
        caller.Send(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n{allow}Content-Length: {bytes.Length}\r\nConnection: close\r\n\r\n"));
        caller.Send(bytes);
        caller.Shutdown(SocketShutdown.Send);
    }

    private (string Status, string Body) Metrics()
    {
        Task<List<(Net.Guests.ServedGuest, Net.Telemetry.GuestStatistics)>> statistics = _guests.StatisticsAsync([]);
        return statistics.Wait(s_patience) ? ("200 OK", MetricsText.Of(statistics.Result)) : ("503 Service Unavailable", "The network is too busy to tell.\n");
    }

    /// <returns>The first line's words; null when it is no request, or too long.</returns>
    private static string[]? ReadRequest(Socket caller)
    {
        long began = Stopwatch.GetTimestamp();
        byte[] request = new byte[LongestRequest];
        for (int length = 0; length < request.Length;)
        {
            TimeSpan left = s_patience - Stopwatch.GetElapsedTime(began);
            if (left <= TimeSpan.Zero || !caller.Poll(left, SelectMode.SelectRead))
                return null;
            int got = caller.Receive(request.AsSpan(length));
            if (got == 0)
                return null;
            length += got;
            ReadOnlySpan<byte> all = request.AsSpan(0, length);
            if (all.IndexOf("\r\n\r\n"u8) < 0)
                continue;
            string[] words = Encoding.ASCII.GetString(all[..all.IndexOf("\r\n"u8)]).Split(' ');
            return words.Length == 3 && words[2].StartsWith("HTTP/1.", StringComparison.Ordinal) ? words : null;
        }
        return null;
    }
}
