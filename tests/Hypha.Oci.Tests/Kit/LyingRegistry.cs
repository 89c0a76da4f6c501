using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Hypha.Oci.Tests.Kit;

/// <summary>What a registry answers, byte for byte: the test decides what to do with each request.</summary>
internal sealed class LyingRegistry : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Request, Stream, Task> _answer;

    public LyingRegistry(Func<Request, Stream, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = AcceptAsync();
    }

    public sealed record Request(string Method, string Path, Dictionary<string, string> Headers);

    public string Host => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
    public ConcurrentQueue<Request> Requests { get; } = new();
    public CancellationToken Stopped => _stop.Token;

    /// <summary>Serves a layout's image honestly, but lets <paramref name="lie"/> answer first what it likes (and return true).</summary>
    public static LyingRegistry Over(Layout layout, Func<Request, Stream, Task<bool>> lie) => new(async (request, stream) =>
    {
        if (await lie(request, stream))
            return;
        string name = request.Path.Split('/')[^1];
        bool isManifest = request.Path.Contains("/manifests/", StringComparison.Ordinal);
        if (isManifest && name == "t")
        {
            string index = File.ReadAllText(System.IO.Path.Combine(layout.Path, "index.json"));
            name = System.Text.Json.Nodes.JsonNode.Parse(index)!["manifests"]![0]!["digest"]!.GetValue<string>();
        }
        string blob = System.IO.Path.Combine(layout.Path, "blobs/sha256", name["sha256:".Length..]);
        if (!File.Exists(blob))
        {
            await SendAsync(stream, "404 Not Found", []);
            return;
        }
        await SendAsync(stream, "200 OK", request.Method == "HEAD" ? [] : File.ReadAllBytes(blob), $"Docker-Content-Digest: {name}");
    });

    public static async Task SendAsync(Stream stream, string status, byte[] body, params string[] headers)
    {
        await SendHeadAsync(stream, status, [.. headers, $"Content-Length: {body.Length}"]);
        await stream.WriteAsync(body);
    }

    public static async Task SendHeadAsync(Stream stream, string status, params string[] headers) =>
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nConnection: close\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n"));

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // stopped
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                NetworkStream stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                string[] first = (await reader.ReadLineAsync(_stop.Token) ?? "").Split(' ');
                if (first.Length < 2)
                    return;
                var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
                while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line)
                    headers[line[..line.IndexOf(':', StringComparison.Ordinal)]] = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
                var request = new Request(first[0], first[1], headers);
                Requests.Enqueue(request);
                await _answer(request, stream);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // the client gave up, or the test is over
        }
    }
}
