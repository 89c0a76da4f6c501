namespace Hypha.Xen;

/// <summary>One end of an event channel, a number within its domain (public/event_channel.h, evtchn_port_t). 0 is none.</summary>
public readonly record struct EvtchnPort(uint Value)
{
    public bool IsValid => Value != 0;

    public override string ToString() => $"port {Value}";
}
