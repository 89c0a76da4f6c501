using System.Runtime.InteropServices;

namespace Hypha.Xen.Native;

/// <summary>Requests of /dev/xen/evtchn, linux/include/uapi/xen/evtchn.h. Those that bind return the local port.</summary>
internal static class EvtchnIoctl
{
    internal static readonly nuint BindVirq = Ioc.None('E', 0, 4);
    internal static readonly nuint BindInterdomain = Ioc.None('E', 1, 8);
    internal static readonly nuint BindUnboundPort = Ioc.None('E', 2, 4);
    internal static readonly nuint Unbind = Ioc.None('E', 3, 4);
    internal static readonly nuint Notify = Ioc.None('E', 4, 4);
    internal static readonly nuint Reset = Ioc.None('E', 5, 0);

    /// <summary>struct ioctl_evtchn_bind_interdomain; the other requests take one unsigned int.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Interdomain
    {
        internal uint remote_domain;
        internal uint remote_port;
    }
}
