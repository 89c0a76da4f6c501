using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Telemetry;

/// <summary>One flow of a guest as of one moment (RFC 7011 2).</summary>
/// <param name="Key">Both ends. An echo's guest port is its identifier.</param>
/// <param name="State">TCP: as in RFC 9293; else whether it was answered.</param>
/// <param name="BytesFromGuest">Of payload.</param>
/// <param name="Age">In milliseconds.</param>
/// <param name="Idle">In milliseconds.</param>
public readonly record struct FlowRecord(IpProtocol Protocol, FlowKey Key, string State, long BytesFromGuest, long BytesToGuest, long Age, long Idle)
{
    internal static FlowRecord Of(TcpConnection connection, long now)
    {
        var (age, idle) = connection.Times(now);
        return new FlowRecord(IpProtocol.Tcp, connection.Key, NameOf(connection.State), connection.BytesFromGuest, connection.BytesToGuest, age, idle);
    }

    private static string NameOf(TcpState state) => state switch
    {
        TcpState.Connecting => "CONNECTING",
        TcpState.SynSent => "SYN-SENT",
        TcpState.SynReceived => "SYN-RECEIVED",
        TcpState.Established => "ESTABLISHED",
        TcpState.FinWait1 => "FIN-WAIT-1",
        TcpState.FinWait2 => "FIN-WAIT-2",
        TcpState.CloseWait => "CLOSE-WAIT",
        TcpState.Closing => "CLOSING",
        TcpState.LastAck => "LAST-ACK",
        TcpState.TimeWait => "TIME-WAIT",
        _ => "CLOSED",
    };
}
