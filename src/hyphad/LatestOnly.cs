using System.Threading.Channels;

namespace Hypha.Daemon;

/// <summary>Sends values one after the other; one that was overtaken before it could be sent is dropped. For progress.</summary>
internal sealed class LatestOnly<T>
{
    private readonly Channel<T> _latest = Channel.CreateBounded<T>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly Task _sending;

    public LatestOnly(Func<T, Task> send) => _sending = SendAllAsync(send);

    public void Post(T value) => _latest.Writer.TryWrite(value);

    /// <summary>Returns once nothing more is sent.</summary>
    public Task CompleteAsync()
    {
        _latest.Writer.TryComplete();
        return _sending;
    }

    private async Task SendAllAsync(Func<T, Task> send)
    {
        await foreach (var value in _latest.Reader.ReadAllAsync().ConfigureAwait(false))
            await send(value).ConfigureAwait(false);
    }
}
