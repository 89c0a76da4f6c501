using Hypha.Net.Dns;
using Hypha.Net.Guests;
using Hypha.Net.Telemetry;
using Hypha.Net.Wire;
using Hypha.Protocol.Network;

namespace Hypha.NetworkDaemon.Control;

/// <summary>What the loop says, as messages (network.proto).</summary>
internal static class Messages
{
    public static GuestInfo Of(in ServedGuest guest, GuestStatistics statistics) => new()
    {
        Interface = guest.Interface,
        Domain = (uint)guest.Domain,
        Network = guest.Network,
        Names = { statistics.Configuration.Names },
        Mac = statistics.Mac?.ToString() ?? "",
        Address = statistics.Configuration.V4?.ToString() ?? "",
        Address6 = statistics.Configuration.V6?.ToString() ?? "",
        Frames = FramesOf(statistics),
        Tcp = Of(statistics.Tcp),
        Udp = Of(statistics.Udp),
        Echo = Of(statistics.Echo),
        Dns = Of(statistics.Dns, statistics.QueriesUnderWay),
    };

    public static FlowInfo Of(in ServedGuest guest, in FlowRecord flow) => new()
    {
        Interface = guest.Interface,
        Protocol = flow.Protocol switch { IpProtocol.Tcp => "tcp", IpProtocol.Udp => "udp", _ => "icmp" },
        Guest = flow.Key.Guest.ToString(),
        GuestPort = flow.Key.GuestPort,
        Remote = flow.Key.Remote == default ? "" : flow.Key.Remote.ToString(),
        RemotePort = flow.Key.RemotePort,
        State = flow.State,
        BytesFromGuest = (ulong)flow.BytesFromGuest,
        BytesToGuest = (ulong)flow.BytesToGuest,
        AgeMs = (ulong)flow.Age,
        IdleMs = (ulong)flow.Idle,
    };

    private static FrameCounters FramesOf(GuestStatistics of) => new()
    {
        FramesIn = of.Frames.FramesIn,
        BytesIn = of.Frames.BytesIn,
        FramesOut = of.Output.Frames,
        BytesOut = of.Output.Bytes,
        LinkFull = of.Output.Full,
        Malformed = of.Frames.Malformed,
        Spoofed = of.Frames.Spoofed,
        Forwarded = of.Frames.Forwarded,
        ForwardFailures = of.Frames.ForwardFailures,
        Ignored = of.Frames.Ignored,
        Unsupported = of.Frames.Unsupported,
        Denied = of.Frames.Denied,
        GroupFramesOverLimit = of.Frames.GroupFramesOverLimit,
        GroupsOverLimit = of.Frames.GroupsOverLimit,
    };

    private static FlowCounters Of(in FlowStatistics of) => new()
    {
        Flows = (uint)of.Flows,
        Opening = (uint)of.Opening,
        Opened = of.Opened,
        OverLimit = of.OverLimit,
        NoDescriptor = of.NoDescriptor,
        Failed = of.Failed,
        Unexpected = of.Unexpected,
        Retransmissions = of.Retransmissions,
    };

    private static NameCounters Of(in DnsCounters of, int underWay) => new()
    {
        UnderWay = (uint)underWay,
        Queries = of.Queries,
        Local = of.Local,
        Forwarded = of.Forwarded,
        Answered = of.Answered,
        Failed = of.Failed,
        Malformed = of.Malformed,
        OverLimit = of.OverLimit,
        Lies = of.Lies,
    };
}
