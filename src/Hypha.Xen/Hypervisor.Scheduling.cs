using static Hypha.Xen.FailureText;
using Hypha.Xen.Native;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_sched_op on other domains, public/sched.h.</summary>
public sealed partial class Hypervisor
{
    private const ulong RemoteShutdown = 4; // SCHEDOP_remote_shutdown

    /// <summary>Stops a domain as though it had stopped itself. It stays until it is destroyed.</summary>
    public void Shutdown(DomainId domain, ShutdownReason reason)
    {
        using HypercallBuffer call = _privcmd.Rent(sched_remote_shutdown.Size);
        Put16(call.Span[sched_remote_shutdown.domain_id..], domain.Value);
        Put32(call.Span[sched_remote_shutdown.reason..], (uint)reason);
        Check(_privcmd.TryCall(HypercallNumber.sched_op, RemoteShutdown, call.Address), $"shutting down {domain}");
    }
}
