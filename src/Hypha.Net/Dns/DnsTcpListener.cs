using Hypha.Net.Nat;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Dns;

/// <summary>
/// Questions by TCP, which come after an answer that was too long for UDP (RFC 7766 5): joined to the server that answered last. Names of the network
/// are short, and answered by UDP.
/// </summary>
internal sealed class DnsTcpListener(DnsForwarder forwarder, TcpNat nat) : ITcpListener
{
    public void Open(in FlowKey key, in TcpSegment syn, long now)
    {
        IReadOnlyList<IpAddress> servers = forwarder.Servers(now);
        if (servers.Count > 0)
            nat.Open(key, syn, servers[forwarder.Preferred % servers.Count], DnsForwarder.Port, now);
    }
}
