using Hypha.Containers.Life;
using Hypha.Containers.Records;
using Hypha.Ttrpc;
using Hypha.Xen;
using Hypha.XenStore;

namespace Hypha.Containers.Agent;

/// <summary>Asks a guest for a channel, waits until it published one, and connects to it.</summary>
internal sealed class AgentConnector(EventChannels events, XenStoreClient store, DomainId domain, ContainerId container)
{
    // The largest honest answer is 64 KiB of output and its envelope.
    private static readonly TtrpcLimits Limits = new() { MaxMessage = 1 << 20 };

    public async Task<IAgentConnection> ConnectAsync(int session, CancellationToken cancellation)
    {
        string wanted = session.ToString();
        await store.WriteAsync(ChannelNodes.Session(domain), wanted, cancellation).ConfigureAwait(false);
        var guest = ChannelNodes.Guest(domain);
        // The guest writes the session last, so what it names is whole; a guest that lies about it harms its own channel.
        await store.WaitForAsync(guest / "session", value => value == wanted, cancellation).ConfigureAwait(false);
        string? ring = await store.TryReadAsync(guest / "ring-ref", cancellation).ConfigureAwait(false);
        string? channel = await store.TryReadAsync(guest / "event-channel", cancellation).ConfigureAwait(false);
        if (!StoreValue.TryParse(ring, 0u, uint.MaxValue, out uint grant) || !StoreValue.TryParse(channel, 1u, uint.MaxValue, out uint port))
            throw new GuestProtocolException("published a channel that is none");

        var vchan = VchanClient.Connect(events, domain, new GrantRef(grant), new EvtchnPort(port));
        return new Connection(new TtrpcClient(vchan, Limits), container);
    }

    private sealed class Connection(TtrpcClient client, ContainerId container) : IAgentConnection
    {
        public GuestAgent Agent { get; } = new(client, container);

        public ValueTask DisposeAsync() => client.DisposeAsync();
    }
}
