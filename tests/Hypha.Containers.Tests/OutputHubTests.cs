using System.Text;
using Hypha.Containers.Output;

namespace Hypha.Containers.Tests;

public sealed class OutputHubTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("hypha-hub").FullName;
    private readonly OutputHub _hub;
    private long _offset;

    public OutputHubTests() => _hub = new OutputHub(new OutputLog(Path.Combine(_directory, "output.log")));

    [Fact]
    public async Task A_client_with_history_sees_every_byte_once_wherever_it_joins()
    {
        var expected = new StringBuilder();
        var readers = new List<Task<string>>();
        for (int i = 0; i < 300; i++)
        {
            if (i % 50 == 0)
                readers.Add(ReadAsync(_hub.Subscribe(history: true, follow: true)));
            await PublishAsync($"{i},");
            expected.Append(i).Append(',');
        }
        _hub.Complete();
        foreach (var reader in readers)
            Assert.Equal(expected.ToString(), await reader.WaitAsync(Deadline));
    }

    [Fact]
    public async Task Publishing_waits_for_a_client_that_does_not_read_and_goes_on_when_it_leaves()
    {
        var slow = _hub.Subscribe(history: false, follow: true);
        var publishing = Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
                await PublishAsync("x");
        });
        await WaitUntilAsync(() => _hub.End(OutputStream.Stdout) >= 8);
        await Assert.ThrowsAsync<TimeoutException>(() => publishing.WaitAsync(TimeSpan.FromMilliseconds(200)));
        Assert.True(_hub.End(OutputStream.Stdout) < 100);
        slow.Dispose();
        await publishing.WaitAsync(Deadline);
        Assert.Equal(100, _hub.End(OutputStream.Stdout));
    }

    [Fact]
    public async Task A_client_that_does_not_follow_gets_what_is_kept_and_ends()
    {
        await PublishAsync("kept");
        Assert.Equal("kept", await ReadAsync(_hub.Subscribe(history: true, follow: false)).WaitAsync(Deadline));
    }

    [Fact]
    public async Task After_the_end_history_can_still_be_read()
    {
        await PublishAsync("kept");
        _hub.Complete();
        Assert.Equal("kept", await ReadAsync(_hub.Subscribe(history: true, follow: true)).WaitAsync(Deadline));
    }

    public void Dispose()
    {
        _hub.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task PublishAsync(string text)
    {
        await _hub.PublishAsync(new(OutputStream.Stdout, _offset, Encoding.ASCII.GetBytes(text)), CancellationToken.None);
        _offset += text.Length;
    }

    private static async Task<string> ReadAsync(OutputHub.Subscription subscription)
    {
        var text = new StringBuilder();
        using (subscription)
        {
            await foreach (var chunk in subscription.ReadAllAsync())
                text.Append(Encoding.ASCII.GetString(chunk.Data.Span));
        }
        return text.ToString();
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow + Deadline;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "the condition did not come true in time");
            await Task.Yield();
        }
    }
}
