using Hypha.Xen.Native;
using static Hypha.Xen.FailureText;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_event_channel_op on other domains, public/event_channel.h. </summary>
public sealed partial class Hypervisor
{
    /// <summary>Makes a port in <paramref name="domain"/> to which <paramref name="remote"/> may bind.</summary>
    public EvtchnPort AllocateUnbound(DomainId domain, DomainId remote)
    {
        using HypercallBuffer call = _privcmd.Rent(evtchn_alloc_unbound.Size);
        Put16(call.Span[evtchn_alloc_unbound.dom..], domain.Value);
        Put16(call.Span[evtchn_alloc_unbound.remote_dom..], remote.Value);
        Check(_privcmd.TryCall(HypercallNumber.event_channel_op, (ulong)EventChannelOp.alloc_unbound, call.Address),
            $"allocating an event channel in {domain} for {remote}");
        return new EvtchnPort(Get32(call.Span[evtchn_alloc_unbound.port..]));
    }

    public EventChannelStatus ReadEventChannel(DomainId domain, EvtchnPort port)
    {
        using HypercallBuffer call = _privcmd.Rent(evtchn_status.Size);
        Put16(call.Span[evtchn_status.dom..], domain.Value);
        Put32(call.Span[evtchn_status.port..], port.Value);
        Check(_privcmd.TryCall(HypercallNumber.event_channel_op, (ulong)EventChannelOp.status, call.Address),
            $"reading the state of {port} of {domain}");
        var state = (EventChannelState)Get32(call.Span[evtchn_status.status..]);
        return new EventChannelStatus(
            state,
            state is EventChannelState.Unbound or EventChannelState.Interdomain ? new DomainId(Get16(call.Span[evtchn_status.u__interdomain__dom..])) : null,
            state is EventChannelState.Interdomain ? new EvtchnPort(Get32(call.Span[evtchn_status.u__interdomain__port..])) : null);
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
