using Hypha.Net.Link.Netif;
using Hypha.Xen;
using Hypha.XenStore;

namespace Hypha.Net.Guests;

/// <summary>What a vif's front end writes of itself (public/io/netif.h). The guest writes it: hostile input.</summary>
internal static class NetifNodes
{
    /// <exception cref="FormatException">A node is missing, or its value is not of its form.</exception>
    public static async Task<NetifPlace> ReadAsync(StoreOperations store, StorePath front, DomainId guest, int mostQueues, CancellationToken cancellation)
    {
        if (!await IsSet("request-rx-copy").ConfigureAwait(false))
            throw new FormatException("its front end wants pages to be flipped, which nothing does any more (request-rx-copy).");
        string? count = await store.TryReadAsync(front / "multi-queue-num-queues", cancellation).ConfigureAwait(false);
        if (!StoreValue.TryParse(count ?? "1", 1, mostQueues, out int queues))
            throw new FormatException($"its front end wants {StoreValue.Printable(count!, 20)} queues; 1 to {mostQueues} were offered.");
        var places = new NetifQueuePlace[queues];
        for (int i = 0; i < queues; i++)
        {
            StorePath at = queues == 1 ? front : front / $"queue-{i}"; // one alone lies flat, as before there were several
            bool split = await store.TryReadAsync(at / "event-channel-tx", cancellation).ConfigureAwait(false) is not null;
            places[i] = new NetifQueuePlace(
                new GrantRef(await Number(at / "tx-ring-ref").ConfigureAwait(false)),
                new GrantRef(await Number(at / "rx-ring-ref").ConfigureAwait(false)),
                new EvtchnPort(await Number(at / (split ? "event-channel-tx" : "event-channel")).ConfigureAwait(false)),
                new EvtchnPort(await Number(at / (split ? "event-channel-rx" : "event-channel")).ConfigureAwait(false)));
        }
        bool segments = await IsSet("feature-sg").ConfigureAwait(false) && await IsSet("feature-gso-tcpv4").ConfigureAwait(false)
            && await IsSet("feature-gso-tcpv6").ConfigureAwait(false) && await IsSet("feature-ipv6-csum-offload").ConfigureAwait(false)
            && !await IsSet("feature-no-csum-offload").ConfigureAwait(false);
        return new NetifPlace(guest, places, segments);

        async Task<bool> IsSet(string name) => await store.TryReadAsync(front / name, cancellation).ConfigureAwait(false) == "1";

        async Task<uint> Number(StorePath path)
        {
            string? text = await store.TryReadAsync(path, cancellation).ConfigureAwait(false);
            return StoreValue.TryParse(text, 1u, uint.MaxValue, out uint number) ? number
                : throw new FormatException($"{path} is {(text is null ? "missing" : $"\"{StoreValue.Printable(text, 40)}\"")}; it is to be a number from 1 on.");
        }
    }
}
