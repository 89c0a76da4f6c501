using Hypha.Linux;

namespace Hypha.XenStore;

/// <summary>The store refused, or cannot be reached. The message says what was tried, on which node, and why it failed.</summary>
public sealed class StoreException : IOException
{
    public StoreException(string what, Errno error) : base($"{what}: {error.Text()} ({error})") => Error = error;

    private StoreException(string sentence, Errno error, Exception? inner) : base(sentence, inner) => Error = error;

    public Errno Error { get; }

    /// <summary>The connection is gone: nothing more will be answered on it.</summary>
    public bool IsConnectionLost => Error == Errno.EPIPE;

    internal static StoreException Lost(string store, string why, Exception? inner = null) =>
        new($"the connection to the xenstore ({store}) is lost: {why}", Errno.EPIPE, inner);

    internal static StoreException Unreachable(string sentence, Exception? inner = null) => new(sentence, Errno.EPIPE, inner);

    internal static StoreException BadAnswer(string what, string why) => new($"{what}: the xenstore's answer makes no sense: {why}", Errno.EIO, null);
}
