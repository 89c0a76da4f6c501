using Hypha.Linux;
using Hypha.XenStore.Tests.Daemon;

namespace Hypha.XenStore.Tests;

/// <summary>Against Xen's own daemon.</summary>
public sealed class ClientTests(StoreDaemon daemon) : IClassFixture<StoreDaemon>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task What_is_written_is_read()
    {
        using XenStoreClient store = daemon.Connect();
        await store.WriteAsync("/rw/a/b", "value");
        Assert.Equal("value", await store.ReadAsync("/rw/a/b"));
        Assert.Equal("", await store.ReadAsync("/rw/a"));
        Assert.Equal(["b"], await store.ListAsync("/rw/a"));
        Assert.True(await store.RemoveAsync("/rw"));
        Assert.Null(await store.TryReadAsync("/rw/a/b"));
        Assert.Empty(await store.TryListAsync("/rw"));
        Assert.False(await store.RemoveAsync("/not/there/at/all"));
    }

    [Fact]
    public async Task Values_may_be_any_bytes()
    {
        using XenStoreClient store = daemon.Connect();
        byte[] value = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        await store.WriteAsync("/bytes", value);
        Assert.Equal(value, await store.ReadBytesAsync("/bytes"));
        await store.WriteAsync("/bytes", "");
        Assert.Empty(await store.ReadBytesAsync("/bytes"));
    }

    [Fact]
    public async Task A_refusal_names_the_operation_the_node_and_the_reason()
    {
        using XenStoreClient store = daemon.Connect();
        var error = await Assert.ThrowsAsync<StoreException>(() => store.ReadAsync("/none/such"));
        Assert.Equal(Errno.ENOENT, error.Error);
        Assert.Equal("reading /none/such: no such file or directory (ENOENT)", error.Message);
    }

    [Fact]
    public async Task A_value_too_long_for_a_message_is_refused_and_the_connection_lives()
    {
        using XenStoreClient store = daemon.Connect();
        var error = await Assert.ThrowsAsync<StoreException>(() => store.WriteAsync("/long", new string('x', 5000)));
        Assert.Equal(Errno.E2BIG, error.Error);
        await store.WriteAsync("/long", "x");
    }

    [Fact]
    public async Task Permissions_are_set_read_and_inherited()
    {
        using XenStoreClient store = daemon.Connect();
        await store.MakeDirectoryAsync("/perms/dir");
        await store.SetPermissionsAsync("/perms/dir", StorePermissions.OwnedBy(0).ReadableBy(5));
        await store.WriteAsync("/perms/dir/child", "x");
        Assert.Equal("n0,r5", (await store.GetPermissionsAsync("/perms/dir")).ToString());
        Assert.Equal("n0,r5", (await store.GetPermissionsAsync("/perms/dir/child")).ToString());
    }

    [Fact]
    public async Task A_list_longer_than_a_message_is_read_whole()
    {
        using XenStoreClient store = daemon.Connect();
        string[] names = [.. Enumerable.Range(0, 1000).Select(i => $"a-child-with-a-long-name-{i:d4}")];
        await store.TransactAsync(t => Array.ForEach(names, name => t.Write((StorePath)"/many" / name, "")));
        Assert.Equal(names, (await store.ListAsync("/many")).Order());
        await store.RemoveAsync("/many");
    }

    [Fact]
    public async Task Many_threads_share_one_connection()
    {
        using XenStoreClient store = daemon.Connect();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(thread => Task.Run(async () =>
        {
            StorePath path = $"/threads/{thread}";
            for (int i = 0; i < 100; i++)
            {
                await store.WriteAsync(path, $"{thread}-{i}");
                Assert.Equal($"{thread}-{i}", await store.ReadAsync(path));
            }
        })));
    }

    [Fact]
    public async Task A_transaction_is_seen_as_a_whole_or_not_at_all()
    {
        using XenStoreClient store = daemon.Connect();
        using XenStoreClient other = daemon.Connect();
        await store.TransactAsync(async t =>
        {
            t.Write("/whole/a", "1");
            t.SetPermissions("/whole/a", StorePermissions.Parse("n0,r3"));
            t.Write("/whole/b", "2");
            Assert.Equal("1", await t.ReadAsync("/whole/a"));
            Assert.Null(await other.TryReadAsync("/whole/a"));
        });
        Assert.Equal("2", await other.ReadAsync("/whole/b"));
        Assert.Equal("n0,r3", (await other.GetPermissionsAsync("/whole/a")).ToString());
    }

    [Fact]
    public async Task A_transaction_that_fails_leaves_nothing()
    {
        using XenStoreClient store = daemon.Connect();
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.TransactAsync(async t =>
        {
            await t.WriteAsync("/failed", "1");
            throw new InvalidOperationException();
        }));
        Assert.Null(await store.TryReadAsync("/failed"));
    }

    [Fact]
    public async Task A_refused_write_within_a_transaction_fails_it()
    {
        using XenStoreClient store = daemon.Connect();
        var error = await Assert.ThrowsAsync<StoreException>(() => store.TransactAsync(t =>
        {
            t.Write("/refused/a", "1");
            t.SetPermissions("/refused/none", StorePermissions.OwnedBy(0));
        }));
        Assert.Equal(Errno.ENOENT, error.Error);
        Assert.Null(await store.TryReadAsync("/refused/a"));
    }

    [Fact]
    public async Task A_counter_that_many_raise_at_once_counts_them_all()
    {
        using XenStoreClient first = daemon.Connect();
        using XenStoreClient second = daemon.Connect();
        await first.WriteAsync("/counter", "0");
        int attempts = 0;
        await Task.WhenAll(new[] { first, second, first, second }.Select(store => Task.Run(async () =>
        {
            for (int i = 0; i < 10; i++)
            {
                await store.TransactAsync(async t =>
                {
                    Interlocked.Increment(ref attempts);
                    Assert.True(StoreValue.TryParse(await t.ReadAsync("/counter"), 0, 1000, out int n));
                    t.Write("/counter", (n + 1).ToString());
                });
            }
        })));
        Assert.Equal("40", await first.ReadAsync("/counter"));
        Assert.True(attempts >= 40);
    }

    [Fact]
    public async Task A_watch_fires_at_once_and_at_each_change_below()
    {
        using XenStoreClient store = daemon.Connect();
        using XenStoreClient other = daemon.Connect();
        await using StoreWatch watch = await store.WatchAsync("/watched");
        Assert.Equal("/watched", (await watch.NextAsync().AsTask().WaitAsync(s_patience))!.Value.Path);
        await other.WriteAsync("/watched/x/y", "1");
        Assert.Equal("/watched/x/y", (await watch.NextAsync().AsTask().WaitAsync(s_patience))!.Value.Path);
    }

    [Fact]
    public async Task A_disposed_watch_ends_its_stream_and_is_gone_from_the_store()
    {
        using XenStoreClient store = daemon.Connect();
        StoreWatch watch = await store.WatchAsync("/watched-briefly");
        await watch.NextAsync().AsTask().WaitAsync(s_patience);
        ValueTask<WatchEvent?> next = watch.NextAsync();
        await watch.DisposeAsync();
        Assert.Null(await next.AsTask().WaitAsync(s_patience));
        await foreach (WatchEvent _ in watch.ReadAllAsync())
            Assert.Fail("an event after the end");
    }

    [Fact]
    public async Task Two_watches_of_one_path_both_fire()
    {
        using XenStoreClient store = daemon.Connect();
        await using StoreWatch one = await store.WatchAsync("/twice");
        await using StoreWatch two = await store.WatchAsync("/twice");
        Assert.NotEqual(one.Token, two.Token);
        Assert.NotNull(await one.NextAsync().AsTask().WaitAsync(s_patience));
        Assert.NotNull(await two.NextAsync().AsTask().WaitAsync(s_patience));
    }

    [Fact]
    public async Task A_wait_for_a_value_ends_when_it_comes()
    {
        using XenStoreClient store = daemon.Connect();
        Task<string?> waiting = store.WaitForAsync("/awaited", value => value == "4");
        await store.WriteAsync("/awaited", "3");
        await store.WriteAsync("/awaited", "4");
        Assert.Equal("4", await waiting.WaitAsync(s_patience));
    }

    [Fact]
    public async Task Domains_are_introduced_and_released()
    {
        using XenStoreClient store = daemon.Connect();
        await using StoreWatch released = await store.WatchAsync("@releaseDomain");
        await released.NextAsync().AsTask().WaitAsync(s_patience);
        Assert.False(await store.IsIntroducedAsync(7));
        await store.IntroduceAsync(7, 0x12345, 1);
        Assert.True(await store.IsIntroducedAsync(7));
        Assert.Equal("/local/domain/7", (await store.GetDomainPathAsync(7)).Value);
        await store.ReleaseAsync(7);
        Assert.False(await store.IsIntroducedAsync(7));
        Assert.Equal("@releaseDomain", (await released.NextAsync().AsTask().WaitAsync(s_patience))!.Value.Path);
    }
}
