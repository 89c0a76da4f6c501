using static Hypha.Xen.FailureText;
using Hypha.Xen.Native;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_sched_op on other domains, public/sched.h.</summary>
public sealed partial class Hypervisor
{
    private const ulong RemoteShutdown = 4; // SCHEDOP_remote_shutdown

    /// <summary>Stops a domain as though it had stopped itself. It stays until it is destroyed.</summary>
    public void Shutdown(DomainId domain, ShutdownReason reason)
    {
        using HypercallBuffer call = _privcmd.Rent(8); // struct sched_remote_shutdown
        Put16(call.Span, domain.Value);
        Put32(call.Span[4..], (uint)reason);
        Check(_privcmd.TryCall(HypercallNumber.sched_op, RemoteShutdown, call.Address), $"shutting down {domain}");
    }
}
