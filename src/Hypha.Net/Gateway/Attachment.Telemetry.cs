using Hypha.Net.Nat;
using Hypha.Net.Telemetry;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>What can be seen of a guest. By the loop's thread, as all else here.</summary>
public sealed partial class Attachment
{
    public GuestStatistics Statistics() => new(_configuration, _guest.IsZero ? null : _guest, _counters, _output.Counters,
        new FlowStatistics
        {
            Flows = _tcp.Count,
            Opening = _tcp.Opening,
            Opened = _tcp.OpenedCount,
            OverLimit = _tcp.OverLimit,
            NoDescriptor = _tcpNat.NoDescriptor,
            Failed = _tcpNat.Failed,
            Retransmissions = _tcp.Stack.Counters.Retransmissions,
        },
        Of(_udp), Of(_echo), _dns.Counters, _dns.Count);

    /// <summary>TCP, UDP and echo, in no order.</summary>
    public IEnumerable<FlowRecord> Flows()
    {
        long now = _loop.Now;
        return _tcp.Snapshot().Select(connection => FlowRecord.Of(connection, now))
            .Concat(_udp.Snapshot().Select(flow => flow.Record(IpProtocol.Udp, now)))
            .Concat(_echo.Snapshot().Select(flow => flow.Record(IpProtocol.Icmp, now)));
    }

    /// <summary>How many <see cref="Flows"/> there are.</summary>
    public int FlowCount => _tcp.Count + _udp.Count + _echo.Count;

    private static FlowStatistics Of(DatagramNat nat) => new()
    {
        Flows = nat.Count,
        Opened = nat.Counters.Opened,
        OverLimit = nat.Counters.OverLimit,
        NoDescriptor = nat.Counters.NoDescriptor,
        Unexpected = nat.Counters.Unexpected,
    };
}
