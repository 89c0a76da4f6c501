using Hypha.XenStore;

namespace Hypha.Net.Guests;

/// <summary>Keeps up what needs the store: one that goes away is asked again until it answers.</summary>
internal static class StoreKeeper
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <param name="work">Runs as long as its store answers.</param>
    /// <param name="what">The store is watched for, in messages.</param>
    public static async Task RunAsync(Func<XenStoreClient> connect, Func<XenStoreClient, CancellationToken, Task> work, string what, Action<string> log, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                using XenStoreClient store = connect();
                await work(store, cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                log($"the xenstore cannot be watched for {what}: {error.Message}; trying again");
            }
            await Task.Delay(s_pause, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The names of what changed below a node that is watched; none for the node itself.</summary>
    public static string[] NamesBelow(StorePath watched, WatchEvent change) =>
        change.Path[Math.Min(change.Path.Length, watched.Value.Length)..].Split('/', StringSplitOptions.RemoveEmptyEntries);
}
