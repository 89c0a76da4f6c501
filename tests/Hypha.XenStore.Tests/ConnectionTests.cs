using System.Net.Sockets;
using Hypha.XenStore.Tests.Daemon;
using Hypha.XenStore.Wire;

namespace Hypha.XenStore.Tests;

/// <summary>When the other end goes, or does what a daemon never should.</summary>
public sealed class ConnectionTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_daemon_that_dies_fails_everything_with_a_clear_sentence()
    {
        using var daemon = new StoreDaemon();
        using XenStoreClient store = daemon.Connect();
        await using StoreWatch watch = await store.WatchAsync("/x");
        await watch.NextAsync();
        Task<WatchEvent?> next = watch.NextAsync().AsTask();
        daemon.Kill();
        var error = await Assert.ThrowsAsync<StoreException>(() => next.WaitAsync(s_patience));
        Assert.True(error.IsConnectionLost);
        Assert.Contains("the connection to the xenstore", error.Message);
        Assert.Contains(daemon.SocketPath, error.Message);
        Assert.True((await Assert.ThrowsAsync<StoreException>(() => store.ReadAsync("/x").WaitAsync(s_patience))).IsConnectionLost);
    }

    [Fact]
    public async Task A_request_under_way_fails_when_the_client_is_disposed()
    {
        (XenStoreClient store, Socket silent) = Pair();
        using (silent)
        {
            Task<string> read = store.ReadAsync("/x");
            store.Dispose();
            Assert.Contains("it was closed", (await Assert.ThrowsAsync<StoreException>(() => read.WaitAsync(s_patience))).Message);
            Assert.True((await store.Lost.WaitAsync(s_patience)).IsConnectionLost);
        }
    }

    [Fact]
    public async Task A_message_longer_than_the_protocol_allows_ends_the_connection()
    {
        (XenStoreClient store, Socket peer) = Pair();
        using (store)
        using (peer)
        {
            var header = new byte[MessageHeader.Size];
            BitConverter.TryWriteBytes(header.AsSpan(12), 1 << 30);
            await peer.SendAsync(header);
            Assert.Contains("longer than the protocol allows", (await store.Lost.WaitAsync(s_patience)).Message);
        }
    }

    [Fact]
    public async Task Answers_find_their_question_in_any_order_and_strange_ones_nobody()
    {
        (XenStoreClient store, Socket peer) = Pair();
        using (store)
        using (peer)
        {
            Task<string> first = store.ReadAsync("/a");
            Task<string> second = store.ReadAsync("/b");
            await Answer(peer, new MessageHeader(MessageType.Read, 77, 0, 1), "?"u8.ToArray());
            await Answer(peer, new MessageHeader(MessageType.WatchEvent, 0, 0, 2), "/x"u8.ToArray());
            await Answer(peer, new MessageHeader(MessageType.Read, 2, 0, 1), "B"u8.ToArray());
            await Answer(peer, new MessageHeader(MessageType.Write, 1, 0, 1), "A"u8.ToArray());
            Assert.Equal("B", await second.WaitAsync(s_patience));
            Assert.Contains("makes no sense", (await Assert.ThrowsAsync<StoreException>(() => first.WaitAsync(s_patience))).Message);
        }
    }

    [Fact]
    public async Task Who_gives_up_waiting_harms_nobody_else()
    {
        (XenStoreClient store, Socket peer) = Pair();
        using (store)
        using (peer)
        {
            using var impatience = new CancellationTokenSource();
            Task<string> first = store.ReadAsync("/a", impatience.Token);
            await impatience.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
            Task<string> second = store.ReadAsync("/b");
            await Answer(peer, new MessageHeader(MessageType.Read, 1, 0, 1), "A"u8.ToArray());
            await Answer(peer, new MessageHeader(MessageType.Read, 2, 0, 1), "B"u8.ToArray());
            Assert.Equal("B", await second.WaitAsync(s_patience));
        }
    }

    [Fact]
    public async Task A_watch_that_nobody_reads_keeps_a_bounded_number_of_paths()
    {
        var queue = new WatchQueue("/w", limit: 3);
        foreach (string path in new[] { "/w/1", "/w/2", "/w/1", "/w/3" })
            queue.Add(path);
        Assert.Equal(new WatchEvent("/w/1"), await queue.TakeAsync(default));
        foreach (string path in new[] { "/w/4", "/w/5" })
            queue.Add(path);
        Assert.Equal(new WatchEvent("/w", Overflowed: true), await queue.TakeAsync(default));
        queue.Add("/w/6");
        Assert.Equal(new WatchEvent("/w/6"), await queue.TakeAsync(default));
        queue.End(null);
        Assert.Null(await queue.TakeAsync(default));
    }

    private static async Task Answer(Socket peer, MessageHeader header, byte[] payload)
    {
        var message = new byte[MessageHeader.Size + payload.Length];
        header.Write(message);
        payload.CopyTo(message, MessageHeader.Size);
        await peer.SendAsync(message);
    }

    private static (XenStoreClient, Socket) Pair()
    {
        string path = Path.Combine(Path.GetTempPath(), $"hypha-{Guid.NewGuid():N}");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        XenStoreClient client = XenStoreClient.ConnectSocket(path);
        Socket peer = listener.Accept();
        File.Delete(path);
        return (client, peer);
    }
}
