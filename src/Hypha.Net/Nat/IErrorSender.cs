namespace Hypha.Net.Nat;

/// <summary>Tells the guest by ICMP what became of a packet of its.</summary>
internal interface IErrorSender
{
    /// <param name="packet">The guest's, from its IP header on; cut after what an error quotes.</param>
    /// <returns>False when there is no ICMP error for it, or none is allowed now.</returns>
    bool Send(ReadOnlySpan<byte> packet, in SocketError error, long now);
}
