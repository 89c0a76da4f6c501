using Hypha.Net.Dns;
using Hypha.Net.Gateway;
using Hypha.Net.Wire;

namespace Hypha.Net.Telemetry;

/// <summary>What a guest is and has done, as of one moment.</summary>
/// <param name="Mac">Null: not known yet.</param>
/// <param name="QueriesUnderWay">Questions of it that a server has not answered yet.</param>
public sealed record GuestStatistics(GuestConfiguration Configuration, MacAddress? Mac, GuestCounters Frames, OutputCounters Output,
    FlowStatistics Tcp, FlowStatistics Udp, FlowStatistics Echo, DnsCounters Dns, int QueriesUnderWay);

/// <summary>A guest's flows of one protocol: how many there are, and what came of those that there were.</summary>
public readonly record struct FlowStatistics
{
    public int Flows { get; init; }

    /// <summary>Of them: not open yet.</summary>
    public int Opening { get; init; }

    public ulong Opened { get; init; }

    /// <summary>Not begun since the guest has as many as it may.</summary>
    public ulong OverLimit { get; init; }

    /// <summary>Not begun since the host had no descriptor, port or memory.</summary>
    public ulong NoDescriptor { get; init; }

    /// <summary>Refused by the destination, or by the way to it.</summary>
    public ulong Failed { get; init; }

    /// <summary>Datagrams of somebody whom the guest has not spoken to.</summary>
    public ulong Unexpected { get; init; }

    public ulong Retransmissions { get; init; }
}
