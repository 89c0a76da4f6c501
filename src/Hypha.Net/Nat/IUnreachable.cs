using Hypha.Linux;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>Tells the guest by ICMP why something did not arrive.</summary>
public interface IUnreachable
{
    /// <param name="error">What the host's socket said.</param>
    /// <param name="sequence">Of the guest's packet, for TCP.</param>
    /// <returns>False when there is no ICMP error for it: refused, for one.</returns>
    bool Tell(in FlowKey key, IpProtocol protocol, SequenceNumber sequence, Errno error, long now);
}
