using System.Buffers.Binary;
using System.Threading.Channels;
using Hypha.Containers.Console;
using Hypha.Linux;
using Hypha.Xen;

namespace Hypha.Containers.Tests;

/// <summary>A guest's end of a console ring, written as its driver does, and as it never should (public/io/console.h).</summary>
public sealed class ConsolePumpTests : IDisposable
{
    private const int OutputOffset = 1024, OutputConsumer = 3080, OutputProducer = 3084;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("hypha-console-").FullName;
    private readonly MemoryMapping _page = MemoryMapping.Anonymous(4096);
    private readonly Channel<bool> _events = Channel.CreateUnbounded<bool>();
    private readonly SemaphoreSlim _notified = new(0);

    [Fact]
    public async Task Everything_that_a_guest_prints_is_in_the_log_in_order()
    {
        using var log = new BoundedLog(Path.Combine(_directory, "console.log"), 1 << 20);
        Task pumping = Start(log);
        byte[] text = new byte[100_000];
        new Random(1).NextBytes(text);
        for (int at = 0; at < text.Length;)
        {
            at += Print(text.AsSpan(at));
            _events.Writer.TryWrite(true);
            Assert.True(await _notified.WaitAsync(s_patience));
        }
        _events.Writer.Complete();
        await pumping.WaitAsync(s_patience);
        var kept = new byte[text.Length];
        long offset = 0;
        for (int at = 0, n; (n = log.Read(ref offset, kept.AsSpan(at))) > 0;)
            at += n;
        Assert.Equal(text, kept);
    }

    [Fact]
    public async Task What_was_printed_before_the_console_was_attached_and_after_its_last_event_is_kept()
    {
        using var log = new BoundedLog(Path.Combine(_directory, "console.log"));
        Print("before "u8);
        Task pumping = Start(log);
        Assert.True(await _notified.WaitAsync(s_patience));
        Print("after"u8);
        _events.Writer.Complete(); // no event comes: the domain died
        await pumping.WaitAsync(s_patience);
        Assert.Equal("before after", log.Tail(1));
    }

    [Theory]
    [InlineData(0u, 2049u)]
    [InlineData(0u, uint.MaxValue)]
    [InlineData(5000u, 4000u)]
    public async Task Indices_that_make_no_sense_lose_the_guest_its_output_and_nothing_else(uint consumer, uint producer)
    {
        using var log = new BoundedLog(Path.Combine(_directory, "console.log"));
        Put(OutputConsumer, consumer);
        Put(OutputProducer, producer);
        Task pumping = Start(log);
        _events.Writer.TryWrite(true);
        _events.Writer.Complete();
        await pumping.WaitAsync(s_patience);
        Assert.True(log.End <= ConsoleRing.OutputSize);
    }

    [Fact]
    public async Task A_disk_that_takes_nothing_does_not_stop_the_reading()
    {
        var log = new BoundedLog(Path.Combine(_directory, "full.log"), 4096);
        File.CreateSymbolicLink(Path.Combine(_directory, "full"), "/dev/full");
        using var full = new BoundedLog(Path.Combine(_directory, "full"), 1 << 20);
        Task pumping = Start(full);
        for (int i = 0; i < 5; i++)
        {
            Print("text that no disk takes"u8);
            _events.Writer.TryWrite(true);
            Assert.True(await _notified.WaitAsync(s_patience));
        }
        _events.Writer.Complete();
        await pumping.WaitAsync(s_patience);
        log.Dispose();
    }

    public void Dispose()
    {
        _page.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private Task Start(BoundedLog log)
    {
        var pump = new ConsolePump(new ConsoleRing(_page), log, () => WaitAsync(), () => _notified.Release());
        return Task.Run(pump.RunAsync);
    }

    private async ValueTask<bool> WaitAsync()
    {
        try
        {
            return await _events.Reader.ReadAsync();
        }
        catch (ChannelClosedException)
        {
            return false;
        }
    }

    /// <summary>As much as fits.</summary>
    private int Print(ReadOnlySpan<byte> text)
    {
        uint producer = Get(OutputProducer);
        int count = Math.Min(text.Length, ConsoleRing.OutputSize - (int)(producer - Get(OutputConsumer)));
        for (int i = 0; i < count; i++)
            _page.Span[OutputOffset + (int)((producer + i) % ConsoleRing.OutputSize)] = text[i];
        Put(OutputProducer, producer + (uint)count);
        return count;
    }

    private uint Get(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_page.Span[offset..]);

    private void Put(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_page.Span[offset..], value);
}
