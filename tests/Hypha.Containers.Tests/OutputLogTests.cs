using System.Text;
using CsCheck;
using Hypha.Containers.Output;

namespace Hypha.Containers.Tests;

public sealed class OutputLogTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hypha-output").FullName;

    private string LogPath => Path.Combine(_directory, "output.log");

    [Fact]
    public void A_reopened_log_continues_at_the_end_of_each_stream()
    {
        using (var log = new OutputLog(LogPath))
        {
            log.Append(new(OutputStream.Stdout, 0, "hello"u8.ToArray()));
            log.Append(new(OutputStream.Stderr, 0, "oh"u8.ToArray()));
            log.Append(new(OutputStream.Stdout, 5, "!"u8.ToArray()));
        }
        using var again = new OutputLog(LogPath);
        Assert.Equal(6, again.End(OutputStream.Stdout));
        Assert.Equal(2, again.End(OutputStream.Stderr));
        Assert.Equal("hello|oh|!", Text(again));
    }

    [Fact]
    public void A_frame_cut_short_by_a_crash_is_dropped_and_written_over()
    {
        using (var log = new OutputLog(LogPath))
        {
            log.Append(new(OutputStream.Stdout, 0, "whole"u8.ToArray()));
            log.Append(new(OutputStream.Stdout, 5, "cut"u8.ToArray()));
        }
        using (var file = new FileStream(LogPath, FileMode.Open))
            file.SetLength(file.Length - 1);

        using var again = new OutputLog(LogPath);
        Assert.Equal(5, again.End(OutputStream.Stdout));
        again.Append(new(OutputStream.Stdout, 5, "cut"u8.ToArray()));
        Assert.Equal("whole|cut", Text(again));
    }

    [Fact]
    public void The_files_never_exceed_the_limit_and_keep_the_newest()
    {
        const int Limit = 4096;
        using var log = new OutputLog(LogPath, Limit);
        long offset = 0;
        for (int i = 0; i < 200; i++)
        {
            var data = Encoding.ASCII.GetBytes($"line {i:D4}\n");
            log.Append(new(OutputStream.Stdout, offset, data));
            offset += data.Length;
            Assert.True(Directory.GetFiles(_directory).Sum(file => new FileInfo(file).Length) <= Limit);
        }
        Assert.EndsWith("line 0199\n", Text(log), StringComparison.Ordinal);
        Assert.Contains("line 0150\n", Text(log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_snapshot_is_not_disturbed_by_a_rotation()
    {
        using var log = new OutputLog(LogPath, 256);
        log.Append(new(OutputStream.Stdout, 0, "before"u8.ToArray()));
        using var snapshot = log.Snapshot();
        for (int i = 0; i < 20; i++)
            log.Append(new(OutputStream.Stdout, 6 + i * 60, new byte[60]));
        Assert.Equal("before", string.Join('|', snapshot.Read().Select(chunk => Encoding.ASCII.GetString(chunk.Data.Span))));
    }

    [Fact]
    public void Any_bytes_in_the_file_are_read_without_failing()
    {
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            File.WriteAllBytes(LogPath, bytes);
            using var log = new OutputLog(LogPath);
            long end = log.End(OutputStream.Stdout);
            log.Append(new(OutputStream.Stdout, end, "x"u8.ToArray()));
            Assert.EndsWith("x", Text(log), StringComparison.Ordinal);
        }, iter: 300, threads: 1);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static string Text(OutputLog log)
    {
        using var history = log.Snapshot();
        return string.Join('|', history.Read().Select(chunk => Encoding.ASCII.GetString(chunk.Data.Span)));
    }
}
