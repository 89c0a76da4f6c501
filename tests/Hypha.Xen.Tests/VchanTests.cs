using CsCheck;
using Hypha.Linux;

namespace Hypha.Xen.Tests;

public sealed class VchanTests : IDisposable
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    private readonly MemoryMapping _memory = MemoryMapping.Anonymous(Page.Size + (16384 * 2) + 8192);
    private readonly LoopbackPort _serverPort, _clientPort;
    private readonly VchanStream _server;
    private readonly VchanStream _client;
    private int _released;

    public VchanTests()
    {
        (_serverPort, _clientPort) = LoopbackPort.Pair();
        _server = VchanServer.Lay(_memory, new GrantRef[6], left: 13, right: 14, _serverPort, () => _released++);
        VchanHeader header = VchanHeader.Read(_memory, DomainId.Zero);
        _client = VchanClient.Join(_memory, _memory, Page.Size, header, _clientPort, () => _released++);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _memory.Dispose();
    }

    private void Poke(int offset, uint value) => BitConverter.TryWriteBytes(_memory.Span[offset..], value);

    private static async Task<byte[]> ReadExactly(VchanStream stream, int count)
    {
        byte[] bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes).AsTask().WaitAsync(s_deadline);
        return bytes;
    }

    [Fact]
    public async Task Bytes_pass_both_ways()
    {
        await _client.WriteAsync("ping"u8.ToArray());
        Assert.Equal("ping"u8.ToArray(), await ReadExactly(_server, 4));
        await _server.WriteAsync("pong"u8.ToArray());
        Assert.Equal("pong"u8.ToArray(), await ReadExactly(_client, 4));
    }

    [Fact]
    public async Task A_reader_that_waits_is_woken_by_a_write()
    {
        Task<byte[]> read = ReadExactly(_client, 3);
        Assert.False(read.IsCompleted);
        await _server.WriteAsync(new byte[] { 1, 2, 3 });
        Assert.Equal([1, 2, 3], await read);
    }

    [Fact]
    public async Task A_writer_waits_while_the_ring_is_full_and_goes_on_when_there_is_room()
    {
        byte[] sent = new byte[100_000];
        Random.Shared.NextBytes(sent);
        Task write = _server.WriteAsync(sent).AsTask();
        Assert.False(write.IsCompleted);
        Assert.Equal(sent, await ReadExactly(_client, sent.Length));
        await write.WaitAsync(s_deadline);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Megabytes_pass_both_ways_at_once_with_any_sizes_of_read_and_write(int seed)
    {
        const int Total = 3 << 20;
        var random = new Random(seed);
        byte[] data = new byte[Total];
        random.NextBytes(data);
        await Task.WhenAll(
            Task.Run(() => Send(_server, seed + 10)), Task.Run(() => Send(_client, seed + 20)),
            Task.Run(() => Receive(_server, seed + 30)), Task.Run(() => Receive(_client, seed + 40))).WaitAsync(s_deadline);

        async Task Send(VchanStream to, int own)
        {
            var sizes = new Random(own);
            for (int at = 0; at < Total;)
            {
                int count = Math.Min(sizes.Next(1, 40_000), Total - at);
                await to.WriteAsync(data.AsMemory(at, count));
                at += count;
            }
        }

        async Task Receive(VchanStream from, int own)
        {
            var sizes = new Random(own);
            byte[] bytes = new byte[40_000];
            for (int at = 0; at < Total;)
            {
                int count = await from.ReadAsync(bytes.AsMemory(0, sizes.Next(1, bytes.Length)));
                Assert.True(count > 0);
                Assert.True(data.AsSpan(at, count).SequenceEqual(bytes.AsSpan(0, count)));
                at += count;
            }
        }
    }

    [Fact]
    public async Task No_event_is_sent_that_nobody_asked_for()
    {
        await _server.WriteAsync(new byte[10]); // the first is asked for from the start
        int sent = _serverPort.Sent;
        for (int i = 0; i < 100; i++)
            await _server.WriteAsync(new byte[10]);
        Assert.Equal(sent, _serverPort.Sent);
        sent = _clientPort.Sent;
        await ReadExactly(_client, 1010);
        Assert.Equal(sent, _clientPort.Sent);
    }

    [Fact]
    public async Task A_side_that_has_gone_is_the_end_after_all_that_it_wrote()
    {
        await _server.WriteAsync(new byte[100]);
        _server.Dispose();
        Assert.Equal(100, await _client.ReadAsync(new byte[200]));
        Assert.Equal(0, await _client.ReadAsync(new byte[200]));
        XenException error = await Assert.ThrowsAsync<XenException>(async () => await _client.WriteAsync(new byte[1]));
        Assert.Equal(Errno.EPIPE, error.Error);
    }

    [Fact]
    public async Task Waits_end_when_the_other_side_goes()
    {
        Task<int> read = _server.ReadAsync(new byte[10]).AsTask();
        Task write = _server.WriteAsync(new byte[100_000]).AsTask();
        _client.Dispose();
        Assert.Equal(0, await read.WaitAsync(s_deadline));
        await Assert.ThrowsAsync<XenException>(() => write.WaitAsync(s_deadline));
    }

    [Fact]
    public async Task Waits_end_when_the_kernel_clears_the_live_byte_of_a_process_that_died()
    {
        Task<int> read = _server.ReadAsync(new byte[10]).AsTask();
        _memory.Span[20] = 0; // cli_live, by unmap notification
        _clientPort.Notify();
        Assert.Equal(0, await read.WaitAsync(s_deadline));
    }

    [Fact]
    public async Task Disposing_ends_the_own_waits_and_releases_once()
    {
        Task<int> read = _client.ReadAsync(new byte[10]).AsTask();
        Task write = _client.WriteAsync(new byte[100_000]).AsTask();
        _client.Dispose();
        _client.Dispose();
        Assert.Equal(0, await read.WaitAsync(s_deadline));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => write.WaitAsync(s_deadline));
        Assert.Equal(1, _released);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ReadExactly(_client, 1));
    }

    [Fact]
    public async Task A_cancelled_read_leaves_the_stream_usable()
    {
        using var cancel = new CancellationTokenSource();
        Task<int> read = _client.ReadAsync(new byte[10], cancel.Token).AsTask();
        cancel.Cancel();
        await Assert.ThrowsAsync<OperationCanceledException>(() => read.WaitAsync(s_deadline));
        await _server.WriteAsync(new byte[] { 7 });
        Assert.Equal([7], await ReadExactly(_client, 1));
    }

    [Fact]
    public async Task A_server_writes_before_its_client_is_there()
    {
        using MemoryMapping memory = MemoryMapping.Anonymous(3 * Page.Size);
        (LoopbackPort serverPort, LoopbackPort clientPort) = LoopbackPort.Pair();
        using VchanStream server = VchanServer.Lay(memory, new GrantRef[2], 12, 12, serverPort, () => { });
        await server.WriteAsync(new byte[] { 1, 2 });
        Task<int> read = server.ReadAsync(new byte[5]).AsTask();
        using VchanStream client = VchanClient.Join(memory, memory, Page.Size, VchanHeader.Read(memory, DomainId.Zero), clientPort, () => { });
        Assert.Equal([1, 2], await ReadExactly(client, 2));
        await client.WriteAsync(new byte[] { 3 });
        Assert.Equal(1, await read.WaitAsync(s_deadline));
    }

    [Theory]
    [InlineData(12, 16385u)]      // right_prod: more than the ring of 16 KiB holds
    [InlineData(12, 0x80000000u)]
    [InlineData(12, 0xFFFFFFFFu)]
    public async Task A_peer_whose_indices_make_no_sense_is_given_up(int offset, uint value)
    {
        Poke(offset, value);
        await Assert.ThrowsAsync<XenException>(async () => await _client.ReadAsync(new byte[10]).AsTask().WaitAsync(s_deadline));
        Poke(8, 1); // right_cons ahead of what the server wrote
        await Assert.ThrowsAsync<XenException>(async () => await _server.WriteAsync(new byte[10]).AsTask().WaitAsync(s_deadline));
    }

    [Theory]
    [InlineData(11, 14)]
    [InlineData(14, 10)]
    [InlineData(21, 14)]
    [InlineData(14, 65535)]
    [InlineData(0, 0)]
    public void A_server_with_impossible_rings_is_refused(int left, int right)
    {
        BitConverter.TryWriteBytes(_memory.Span[16..], (ushort)left);
        BitConverter.TryWriteBytes(_memory.Span[18..], (ushort)right);
        Assert.Throws<XenException>(() => VchanHeader.Read(_memory, DomainId.Zero));
    }

    [Fact]
    public void No_first_page_makes_the_client_read_beyond_it() => Gen.Byte.Array[24, 4096].Sample(bytes =>
    {
        using MemoryMapping memory = MemoryMapping.Anonymous(Page.Size);
        bytes.CopyTo(memory.Span);
        memory.Span[21] = 1;
        memory.Span[17] = memory.Span[19] = 0;
        memory.Span[16] %= 24;
        memory.Span[18] %= 24;
        try
        {
            VchanHeader header = VchanHeader.Read(memory, DomainId.Zero);
            return header.RingGrants.Length <= 512;
        }
        catch (XenException)
        {
            return true;
        }
    });

    [Fact]
    public async Task A_peer_that_scribbles_over_the_first_page_at_any_time_only_harms_its_own_connection()
    {
        byte[] received = new byte[50_000];
        using var stop = new CancellationTokenSource();
        Task scribbler = Task.Run(() =>
        {
            var random = new Random(5);
            while (!stop.IsCancellationRequested)
                _memory.Span[random.Next(24)] = (byte)random.Next(256);
        });
        for (int i = 0; i < 200; i++)
        {
            try
            {
                using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(5));
                int count = await _client.ReadAsync(received, soon.Token);
                Assert.InRange(count, 0, 16384);
                await _client.WriteAsync(new byte[100], soon.Token);
            }
            catch (Exception e) when (e is XenException or OperationCanceledException)
            {
            }
        }

        stop.Cancel();
        await scribbler;
    }
}
