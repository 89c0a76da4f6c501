using System.Globalization;
using System.Text.RegularExpressions;

namespace Hypha.NetworkDaemon.Tests;

/// <summary>hyphactl network capture, read by Wireshark's own parser.</summary>
public sealed class CaptureTests : IAsyncLifetime
{
    private readonly WatchedNetwork _network = new();

    public async ValueTask InitializeAsync()
    {
        await _network.InitializeAsync();
        await _network.Serve("world", "exec socat TCP6-LISTEN:7,fork,reuseaddr,ipv6only=0 EXEC:cat", 7);
    }

    public ValueTask DisposeAsync() => _network.DisposeAsync();

    [Fact]
    public async Task A_ping_is_captured_both_ways_and_the_file_is_sound()
    {
        Task<Outcome> capture = _network.Look("capture vguest -w ping.pcapng --filter 'icmp and host 192.0.2.2' --count 6");
        await UntilCapturing("ping.pcapng");
        (await _network.Run("guest", "ping -c 1 -W 5 10.75.0.1; ping -c 3 -i 0.05 -W 5 192.0.2.2")).Succeeded();
        Assert.Contains("6 frames taken, 0 dropped", (await capture).Succeeded().Errors);
        string[] frames = await Fields("ping.pcapng", "frame.interface_name", "frame.packet_flags_direction", "ip.src", "ip.dst", "icmp.type", "icmp.checksum.status");
        Assert.Equal(6, frames.Length);
        for (int i = 0; i < 6; i += 2)
        {
            Assert.Equal("vguest|0x00000001|10.75.0.2|192.0.2.2|8|1", frames[i]);
            Assert.Equal("vguest|0x00000002|192.0.2.2|10.75.0.2|0|1", frames[i + 1]);
        }
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_network.Directory, "ping.pcapng")));
    }

    [Fact]
    public async Task A_connection_is_captured_on_standard_output_until_SIGINT_with_frames_cut()
    {
        Task<Outcome> capture = _network.Look("capture vguest --filter 'tcp port 7' --snaplen 60 >tcp.pcapng & echo $! >pid; wait $!", "exec env --default-signal=INT");
        await UntilCapturing("tcp.pcapng");
        Assert.Equal("hello", (await _network.Run("guest", "printf hello | socat -t 5 - TCP:192.0.2.2:7")).Succeeded().Output);
        await _network.Run("host", "until [ $(stat -c %s tcp.pcapng) -gt 700 ]; do sleep 0.05; done; kill -INT $(cat pid)");
        Assert.Contains(", 0 dropped", (await capture).Succeeded().Errors);
        string[] frames = await Fields("tcp.pcapng", "frame.cap_len", "frame.len", "tcp.flags.syn", "tcp.flags.fin");
        Assert.InRange(frames.Length, 7, 20);
        Assert.All(frames, frame => Assert.StartsWith("60|", frame));
        Assert.Equal(2, frames.Count(frame => frame.Split('|')[2] is "1" or "True"));
        Assert.Equal(2, frames.Count(frame => frame.Split('|')[3] is "1" or "True"));
    }

    [Fact]
    public async Task What_cannot_be_captured_is_explained()
    {
        Assert.Contains("cannot capture nobody: hyphanet serves nobody who is called \"nobody\"", (await _network.Look("capture nobody -w x")).Errors);
        Assert.Contains("cannot capture vguest: the filter's \"tpc\" is none of tcp, udp", (await _network.Look("capture vguest -w x --filter tpc")).Errors);
        Assert.Contains("--count is a number of 1 or more", (await _network.Look("capture vguest -w x --count 0")).Errors);
    }

    [Fact]
    public async Task A_reader_that_stops_costs_the_guest_nothing()
    {
        // The frames of thirty-two megabytes are more than the ring and all buffers on the way hold.
        Task<Outcome> capture = _network.Look("capture vguest >pipe & echo $! >pid; wait $!",
            "mkfifo pipe; (exec 3<pipe; head -c 4 <&3 >slow.pcapng; until [ -e sent ]; do sleep 0.1; done; cat <&3 >>slow.pcapng; touch read) & exec env --default-signal=INT");
        await UntilCapturing("slow.pcapng");
        await _network.Serve("world", "exec socat -u TCP-LISTEN:7500,fork,reuseaddr OPEN:/dev/null", 7500);
        (await _network.Run("guest", "head -c 33554432 /dev/zero | timeout 20 socat -u - TCP:192.0.2.2:7500")).Succeeded();
        await _network.Run("host", "touch sent; kill -INT $(cat pid); until [ -e read ]; do sleep 0.05; done");
        Match counts = Regex.Match((await capture).Succeeded().Errors, @"(\d+) frames taken, (\d+) dropped");
        Assert.True(int.Parse(counts.Groups[2].Value, CultureInfo.InvariantCulture) > 0, counts.Value);
        Assert.Equal(int.Parse(counts.Groups[1].Value, CultureInfo.InvariantCulture), (await Fields("slow.pcapng", "frame.len")).Length);
    }

    private async Task UntilCapturing(string file) =>
        (await _network.Run("host", $"until [ -s {file} ]; do sleep 0.05; done")).Succeeded();

    private async Task<string[]> Fields(string file, params string[] fields)
    {
        Outcome read = (await _network.Run("host", $"tshark -n -r {file} -o ip.check_checksum:TRUE -T fields -E separator='|' {string.Join(' ', fields.Select(field => $"-e {field}"))}")).Succeeded();
        return read.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
