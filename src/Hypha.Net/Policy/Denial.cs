using Hypha.Net.Wire;

namespace Hypha.Net.Policy;

/// <summary>A flow that was denied, as a line names it: without the port of who began it, which is another at each try.</summary>
/// <param name="Port">0 where the protocol has none.</param>
internal readonly record struct Denial(bool In, IpProtocol Protocol, IpAddress From, IpAddress To, ushort Port)
{
    public override string ToString() => $"denied {(In ? "in " : "")}{Name} from {From} to {To}{(Port > 0 ? $" port {Port}" : "")}";

    private string Name => Protocol switch
    {
        IpProtocol.Tcp => "tcp",
        IpProtocol.Udp => "udp",
        IpProtocol.Icmp or IpProtocol.Icmp6 => "icmp",
        _ => $"protocol {(int)Protocol}",
    };
}
