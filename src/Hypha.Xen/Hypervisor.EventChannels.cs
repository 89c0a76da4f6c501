using Hypha.Xen.Native;
using static Hypha.Xen.FailureText;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_event_channel_op on other domains, public/event_channel.h. </summary>
public sealed partial class Hypervisor
{
    /// <summary>Makes a port in <paramref name="domain"/> to which <paramref name="remote"/> may bind.</summary>
    public EvtchnPort AllocateUnbound(DomainId domain, DomainId remote)
    {
        using HypercallBuffer call = _privcmd.Rent(8); // struct evtchn_alloc_unbound
        Put16(call.Span, domain.Value);
        Put16(call.Span[2..], remote.Value);
        Check(_privcmd.TryCall(HypercallNumber.event_channel_op, (ulong)EventChannelOp.alloc_unbound, call.Address),
            $"allocating an event channel in {domain} for {remote}");
        return new EvtchnPort(Get32(call.Span[4..]));
    }

    public EventChannelStatus ReadEventChannel(DomainId domain, EvtchnPort port)
    {
        using HypercallBuffer call = _privcmd.Rent(24); // struct evtchn_status
        Put16(call.Span, domain.Value);
        Put32(call.Span[4..], port.Value);
        Check(_privcmd.TryCall(HypercallNumber.event_channel_op, (ulong)EventChannelOp.status, call.Address),
            $"reading the state of {port} of {domain}");
        var state = (EventChannelState)Get32(call.Span[8..]);
        return new EventChannelStatus(
            state,
            state is EventChannelState.Unbound or EventChannelState.Interdomain ? new DomainId(Get16(call.Span[16..])) : null,
            state is EventChannelState.Interdomain ? new EvtchnPort(Get32(call.Span[20..])) : null);
    }
}

/// <summary>An event channel as Xen sees it; <c>Remote</c> is the domain at the other end, or the one that may bind.</summary>
public readonly record struct EventChannelStatus(EventChannelState State, DomainId? Remote, EvtchnPort? RemotePort);

/// <summary>EVTCHNSTAT_*.</summary>
public enum EventChannelState : uint
{
    Closed = 0,
    Unbound = 1,
    Interdomain = 2,
    PhysicalIrq = 3,
    VirtualIrq = 4,
    Ipi = 5,
}
