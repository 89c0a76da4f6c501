using Hypha.Ttrpc;
using Hypha.Xen;
using Hypha.XenStore;

namespace Hypha.Guest.Agent;

/// <summary>
/// Serves the agent to dom0 over vchan. Each number that the host writes into <c>hypha/channel/session</c> asks for a fresh channel: the
/// old one is dropped, a new one published under <c>hypha/guest/channel</c>, its session last. The agent's state stays.
/// </summary>
public sealed class XenChannel(AgentService agent, InitConsole console) : IDisposable
{
    private const string Session = "hypha/channel/session";
    private const string Published = "hypha/guest/channel";

    private readonly XenStoreClient _store = XenStoreClient.OpenDevice();
    private readonly EventChannels _events = EventChannels.Open();
    private readonly TtrpcServices _services = agent.Services();

    /// <summary>Serves session after session, without end.</summary>
    /// <exception cref="IOException">The xenstore is lost, or the kernel grants no memory.</exception>
    public async Task RunAsync()
    {
        TtrpcServer? server = null;
        string? session = null;
        await using StoreWatch watch = await _store.WatchAsync(Session).ConfigureAwait(false);
        while (await watch.NextAsync().ConfigureAwait(false) is not null)
        {
            string? asked = await _store.TryReadAsync(Session).ConfigureAwait(false);
            if (string.IsNullOrEmpty(asked) || asked == session)
                continue;
            server?.Dispose();
            VchanServer channel = VchanServer.Create(_events, DomainId.Zero);
            server = new TtrpcServer(channel.Stream, _services);
            _ = ServeAsync(server, asked);
            await PublishAsync(channel, asked).ConfigureAwait(false);
            session = asked;
            console.Debug($"channel {session} is published");
        }
    }

    public void Dispose()
    {
        _events.Dispose();
        _store.Dispose();
    }

    private async Task PublishAsync(VchanServer channel, string session)
    {
        await _store.WriteAsync($"{Published}/ring-ref", channel.RingRef.Value.ToString()).ConfigureAwait(false);
        await _store.WriteAsync($"{Published}/event-channel", channel.Port.Value.ToString()).ConfigureAwait(false);
        await _store.WriteAsync($"{Published}/session", session).ConfigureAwait(false);
    }

    private async Task ServeAsync(TtrpcServer server, string session)
    {
        try
        {
            await server.RunAsync().ConfigureAwait(false);
            console.Debug($"channel {session} is closed");
        }
        catch (IOException e)
        {
            // The host asks for another when it wants one.
            console.Debug($"channel {session}: {e.Message}");
        }
    }
}
