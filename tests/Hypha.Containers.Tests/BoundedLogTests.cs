using System.Text;
using CsCheck;
using Hypha.Containers.Console;

namespace Hypha.Containers.Tests;

public sealed class BoundedLogTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hypha-log-").FullName;

    private string NewPath => Path.Combine(_directory, Guid.NewGuid().ToString("N"));

    [Fact]
    public void What_was_appended_last_is_kept_and_the_disk_use_is_bounded() =>
        Gen.Select(Gen.Int[2, 200], Gen.Byte.Array[0, 300].Array[0, 12]).Sample((limit, writes) =>
        {
            string path = NewPath;
            using var log = new BoundedLog(path, limit);
            List<byte> all = [];
            foreach (byte[] write in writes)
            {
                log.Append(write);
                all.AddRange(write);
                long onDisk = new FileInfo(path).Length + (File.Exists(path + ".1") ? new FileInfo(path + ".1").Length : 0);
                Assert.True(onDisk <= limit);
            }
            Assert.Equal(all.Count, log.End);
            Assert.True(log.End - log.Start >= Math.Min(all.Count, limit / 2));
            Assert.Equal(all.Skip((int)log.Start), ReadAll(log, 0));
        }, iter: 200);

    [Fact]
    public void A_log_goes_on_where_an_earlier_process_stopped()
    {
        string path = NewPath;
        using (var log = new BoundedLog(path, 8))
            log.Append("abcdef"u8);
        using var again = new BoundedLog(path, 8);
        Assert.Equal("abcdef", Encoding.ASCII.GetString(ReadAll(again, 0)));
        again.Append("gh"u8);
        again.Append("i"u8);
        Assert.Equal("efghi", Encoding.ASCII.GetString(ReadAll(again, 0)));
    }

    [Fact]
    public async Task A_follower_gets_what_is_there_then_what_comes_then_the_end()
    {
        using var log = new BoundedLog(NewPath, 1 << 16);
        log.Append("one "u8);
        var seen = new StringBuilder();
        var first = new TaskCompletionSource();
        Task following = Task.Run(async () =>
        {
            await foreach (ReadOnlyMemory<byte> chunk in log.FollowAsync(0))
            {
                seen.Append(Encoding.ASCII.GetString(chunk.Span));
                first.TrySetResult();
            }
        });
        await first.Task.WaitAsync(TimeSpan.FromSeconds(20));
        log.Append("two "u8);
        log.Append("three"u8);
        log.Complete();
        await following.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("one two three", seen.ToString());
    }

    [Fact]
    public void The_tail_is_text_that_cannot_touch_a_terminal()
    {
        using var log = new BoundedLog(NewPath);
        log.Append("first\r\n\u001b[2J\u001b]0;title\u0007[    0.1] Linux\u001b[31m version\u001b[0m\r\n\r\nlast\u0000 line\t!\r\n"u8);
        Assert.Equal("[    0.1] Linux version\nlast line !", log.Tail(2));
        Assert.Equal("", new BoundedLog(NewPath).Tail(5));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static byte[] ReadAll(BoundedLog log, long offset)
    {
        List<byte> all = [];
        var buffer = new byte[7];
        int count;
        while ((count = log.Read(ref offset, buffer)) > 0)
            all.AddRange(buffer.AsSpan(0, count));
        return [.. all];
    }
}
