namespace Hypha.Net.Nat;

/// <summary>How much of the host one guest may take.</summary>
public sealed record NatLimits
{
    public int TcpFlows { get; init; } = 32_768;

    /// <summary>TCP connections that are being opened.</summary>
    public int TcpHalfOpen { get; init; } = 2_048;

    /// <summary>UDP ports of the guest with a socket of the host each.</summary>
    public int UdpMappings { get; init; } = 4_096;

    public int EchoMappings { get; init; } = 256;

    /// <summary>Whom its UDP ports have spoken to, and its echo identifiers, all of either together.</summary>
    public int Peers { get; init; } = 16_384;
}
