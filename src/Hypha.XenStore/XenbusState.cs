namespace Hypha.XenStore;

/// <summary>Where a device's front or back end stands (public/io/xenbus.h).</summary>
public enum XenbusState
{
    Unknown = 0,
    Initialising = 1,

    /// <summary>Waits for the other end's details.</summary>
    InitWait = 2,
    Initialised = 3,
    Connected = 4,
    Closing = 5,
    Closed = 6,
    Reconfiguring = 7,
    Reconfigured = 8,
}
