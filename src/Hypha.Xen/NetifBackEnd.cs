namespace Hypha.Xen;

/// <summary>
/// Hypha's own back end of network interfaces as it stands in the store (public/io/netif.h). Whoever prepares a guest writes it ahead, so that the
/// guest's interface comes up whether it is served yet or not; whoever serves it writes it anew when a front end comes back.
/// </summary>
public static class NetifBackEnd
{
    /// <summary>A kind of its own, so that the kernel's xen-netback does not take it. The front end is a plain vif.</summary>
    public const string Kind = "hvif";

    public const int MostQueues = 4;

    /// <summary>What it can do: nodes and their values.</summary>
    public static IReadOnlyList<(string Name, string Value)> Features { get; } =
    [
        ("feature-sg", "1"), ("feature-gso-tcpv4", "1"), ("feature-gso-tcpv6", "1"), ("feature-ipv6-csum-offload", "1"), ("feature-rx-copy", "1"), ("feature-rx-flip", "0"),
        ("feature-split-event-channels", "1"), ("multi-queue-max-queues", MostQueues.ToString()),
    ];
}
