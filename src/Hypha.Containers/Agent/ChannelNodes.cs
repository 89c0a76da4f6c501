using Hypha.Xen;
using Hypha.XenStore;

namespace Hypha.Containers.Agent;

/// <summary>The store nodes with which host and guest agree on a channel (ARCHITECTURE.md).</summary>
internal static class ChannelNodes
{
    /// <summary>Written by the host: each change asks the guest for a fresh channel.</summary>
    public static StorePath Session(DomainId domain) => StorePath.Domain(domain.Value) / "hypha/channel/session";

    /// <summary>Written by the guest, hostile: session, ring-ref, event-channel.</summary>
    public static StorePath Guest(DomainId domain) => StorePath.Domain(domain.Value) / "hypha/guest/channel";
}
