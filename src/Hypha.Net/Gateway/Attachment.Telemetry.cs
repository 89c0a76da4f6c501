using Hypha.Net.Capture;
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

    /// <summary>Has its frames copied from now on.</summary>
    public void Add(FrameCapture capture)
    {
        capture.Next = _output.Capture;
        _output.Capture = capture;
    }

    /// <summary>Ends a capture. One that is not of this guest, or not any more, is ended all the same.</summary>
    public void Remove(FrameCapture capture)
    {
        if (_output.Capture == capture)
            _output.Capture = capture.Next;
        for (FrameCapture? at = _output.Capture; at is not null; at = at.Next)
        {
            if (at.Next == capture)
                at.Next = capture.Next;
        }
        capture.End();
    }

    private static FlowStatistics Of(DatagramNat nat) => new()
    {
        Flows = nat.Count,
        Opened = nat.Counters.Opened,
        OverLimit = nat.Counters.OverLimit,
        NoDescriptor = nat.Counters.NoDescriptor,
        Unexpected = nat.Counters.Unexpected,
    };
}
