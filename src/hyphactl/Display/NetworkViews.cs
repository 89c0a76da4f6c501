using Hypha.Protocol.Network;

namespace Hypha.Ctl.Display;

// What --output json prints of the network. "Sent" and "received" are the container's.

internal sealed record NetworkGuestView(
    string Interface,
    uint? Domain,
    string? Network,
    IReadOnlyList<string> Names,
    string? Mac,
    string? Address,
    string? Address6,
    FrameCountersView Frames,
    FlowCountersView Tcp,
    FlowCountersView Udp,
    FlowCountersView Echo,
    NameCountersView Dns)
{
    public static NetworkGuestView From(GuestInfo guest) => new(
        guest.Interface,
        guest.Domain == 0 ? null : guest.Domain,
        OrNull(guest.Network),
        guest.Names,
        OrNull(guest.Mac),
        OrNull(guest.Address),
        OrNull(guest.Address6),
        FrameCountersView.From(guest.Frames),
        FlowCountersView.From(guest.Tcp),
        FlowCountersView.From(guest.Udp),
        FlowCountersView.From(guest.Echo),
        NameCountersView.From(guest.Dns));

    private static string? OrNull(string text) => text.Length == 0 ? null : text;
}

internal sealed record FrameCountersView(
    ulong FramesSent, ulong BytesSent, ulong FramesReceived, ulong BytesReceived, ulong LinkFull, ulong Malformed, ulong Spoofed,
    ulong Forwarded, ulong ForwardFailures, ulong Ignored, ulong Unsupported, ulong Denied,
    ulong GroupFramesOverLimit, ulong GroupsOverLimit)
{
    public static FrameCountersView From(FrameCounters of) => new(
        of.FramesIn, of.BytesIn, of.FramesOut, of.BytesOut, of.LinkFull, of.Malformed, of.Spoofed,
        of.Forwarded, of.ForwardFailures, of.Ignored, of.Unsupported, of.Denied,
        of.GroupFramesOverLimit, of.GroupsOverLimit);
}

internal sealed record FlowCountersView(
    uint Flows, uint Opening, ulong Opened, ulong OverLimit, ulong NoDescriptor, ulong Failed, ulong Unexpected, ulong Retransmissions)
{
    public static FlowCountersView From(FlowCounters of) => new(
        of.Flows, of.Opening, of.Opened, of.OverLimit, of.NoDescriptor, of.Failed, of.Unexpected, of.Retransmissions);
}

internal sealed record NameCountersView(
    uint UnderWay, ulong Queries, ulong Local, ulong Forwarded, ulong Answered, ulong Failed, ulong Malformed, ulong OverLimit, ulong Lies)
{
    public static NameCountersView From(NameCounters of) => new(
        of.UnderWay, of.Queries, of.Local, of.Forwarded, of.Answered, of.Failed, of.Malformed, of.OverLimit, of.Lies);
}

internal sealed record FlowView(
    string Name,
    string Interface,
    string Protocol,
    string Address,
    uint Port,
    string? RemoteAddress,
    uint? RemotePort,
    string State,
    ulong BytesSent,
    ulong BytesReceived,
    ulong AgeMs,
    ulong IdleMs)
{
    public static FlowView From(FlowInfo flow, IReadOnlyDictionary<string, string> names) => new(
        names.GetValueOrDefault(flow.Interface, flow.Interface),
        flow.Interface,
        flow.Protocol,
        flow.Guest,
        flow.GuestPort,
        flow.Remote.Length == 0 ? null : flow.Remote,
        flow.Remote.Length == 0 ? null : flow.RemotePort,
        flow.State,
        flow.BytesFromGuest,
        flow.BytesToGuest,
        flow.AgeMs,
        flow.IdleMs);
}
