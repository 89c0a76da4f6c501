using System.CommandLine;
using System.Globalization;
using Hypha.Ctl.CommandLine;
using Hypha.Ctl.Connection;
using Hypha.Linux;
using Hypha.Protocol.Network;

namespace Hypha.Ctl.Commands;

/// <summary><c>hyphactl network capture</c>: a guest's frames, as pcapng.</summary>
internal static class NetworkCapture
{
    public static Command Build()
    {
        var name = NetworkOptions.Guest();
        var file = new Option<string>("--write", "-w") { Description = "the file; without it standard output, unless that is a terminal", HelpName = "FILE" };
        var filter = new Option<string>("--filter") { Description = "terms joined by \"and\": tcp, udp, icmp, arp, ip, ip6, host A, port N", HelpName = "EXPR" };
        var count = Number("--count", "end after so many frames", 1);
        var snapLength = Number("--snaplen", "keep so many bytes of each frame; default all", 1);
        var control = NetworkOptions.Control();
        var command = new Command("capture", "Writes a container's frames as they come, as a pcapng file for Wireshark and tcpdump. Ctrl+C ends it.")
        {
            name, file, filter, count, snapLength, control,
        };
        command.SetAction(async result =>
        {
            using var interruption = new Interruption();
            return await Failures.Explained($"cannot capture {result.GetValue(name)}", ExitCode.Failure, async () =>
            {
                string? path = result.GetValue(file);
                if (path is null && Terminal.Is(StandardStream.Output))
                    throw new CommandFailure("a capture is no text for a terminal: give -w FILE, or a pipe, as in hyphactl network capture web | tcpdump -r -", ExitCode.Usage);
                using NetworkConnection connection = result.ConnectNetwork(control);
                var request = new CaptureRequest
                {
                    Name = result.GetValue(name),
                    Filter = result.GetValue(filter) ?? "",
                    Count = (ulong)(result.GetValue(count) ?? 0),
                    SnapLength = (uint)(result.GetValue(snapLength) ?? 0),
                };
                await connection.CallAsync("Capture", request, CaptureResponse.Parser).ConfigureAwait(false);
                using FileStream? output = path is null ? null : new FileStream(path, new FileStreamOptions
                {
                    Mode = FileMode.Create,
                    Access = FileAccess.Write,
                    BufferSize = 0,
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite, // it is what others said to each other
                });
                await CopyAsync(connection, output, interruption.Token).ConfigureAwait(false);
                return ExitCode.Ok;
            }).ConfigureAwait(false);
        });
        return HelpWithExamples.Add(command, """
            hyphactl network capture web -w web.pcapng
            hyphactl network capture web --filter "tcp port 80" | tcpdump -nr -
            hyphactl network capture web --count 100 --snaplen 128 -w headers.pcapng
            """);
    }

    /// <param name="output">Null: standard output.</param>
    private static async Task CopyAsync(NetworkConnection connection, FileStream? output, CancellationToken left)
    {
        // What was taken by then is still to come.
        using var stop = left.Register(() => _ = connection.CallAsync("StopCapture", new StopCaptureRequest(), StopCaptureResponse.Parser));
        ReadCaptureResponse piece;
        do
        {
            piece = await connection.CallAsync("ReadCapture", new ReadCaptureRequest(), ReadCaptureResponse.Parser).ConfigureAwait(false);
            if (output is null)
                StandardStreams.Write(StandardStream.Output, piece.Data.Span);
            else
                output.Write(piece.Data.Span);
        }
        while (!piece.End);
        Failures.Say(string.Create(CultureInfo.InvariantCulture, $"{piece.Frames} frames taken, {piece.Dropped} dropped"));
    }

    private static Option<int?> Number(string name, string description, int least)
    {
        var option = new Option<int?>(name) { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() < least)
                result.AddError($"{name} is a number of {least} or more");
        });
        return option;
    }
}
