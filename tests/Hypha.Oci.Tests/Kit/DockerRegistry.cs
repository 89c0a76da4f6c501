using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Hypha.Oci.Tests.Kit;

/// <summary>Debian's docker-registry on a free port of loopback, empty.</summary>
internal sealed class DockerRegistry : IDisposable
{
    private readonly Process _process;

    public DockerRegistry(string directory)
    {
        Directory.CreateDirectory(directory);
        int port = FreePort();
        Host = $"127.0.0.1:{port}";
        string configuration = Path.Combine(directory, "config.yml");
        File.WriteAllText(configuration, $"""
            version: 0.1
            log: {"{"} level: error {"}"}
            storage: {"{"} filesystem: {"{"} rootdirectory: {directory}/data {"}"}, delete: {"{"} enabled: true {"}"} {"}"}
            http: {"{"} addr: {Host} {"}"}
            """);
        _process = Process.Start(new ProcessStartInfo("docker-registry", ["serve", configuration]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        var deadline = Stopwatch.StartNew();
        while (!Answers(port))
        {
            Assert.False(_process.HasExited, "docker-registry ended");
            Assert.True(deadline.Elapsed < TimeSpan.FromSeconds(30), "docker-registry does not answer");
            Thread.Sleep(20);
        }
    }

    public string Host { get; }

    /// <summary>Copies a layout's image into it, as skopeo does.</summary>
    public void Push(Layout layout, string name, params string[] options) =>
        Tool.Run("skopeo", ["--insecure-policy", "copy", "-q", "--dest-tls-verify=false", .. options, $"oci:{layout.Path}:t", $"docker://{Host}/{name}"]);

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static bool Answers(int port)
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
