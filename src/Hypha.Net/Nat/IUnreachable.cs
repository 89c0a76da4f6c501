using Hypha.Linux;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>Tells the guest by ICMP why its connection does not come to be.</summary>
public interface IUnreachable
{
    /// <param name="sequence">Of the guest's SYN.</param>
    /// <param name="error">What the host's socket said.</param>
    /// <returns>False when there is no ICMP error for it: refused, for one.</returns>
    bool Tell(in FlowKey key, SequenceNumber sequence, Errno error, long now);
}
