using static Hypha.Xen.FailureText;
using Hypha.Linux;
using Hypha.Xen.Native;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>When other domains run: HYPERVISOR_sched_op, public/sched.h, and XEN_DOMCTL_scheduler_op, public/domctl.h.</summary>
public sealed partial class Hypervisor
{
    /// <summary>What a domain has that nobody gave a weight, with both schedulers that know weights.</summary>
    public const int DefaultWeight = 256;

    private const ulong RemoteShutdown = 4; // SCHEDOP_remote_shutdown
    private const uint PutInfo = 0, GetInfo = 1; // XEN_DOMCTL_SCHEDOP_*

    private static readonly uint[] s_weighing = [6, 5]; // XEN_SCHEDULER_CREDIT2, XEN_SCHEDULER_CREDIT

    /// <summary>Stops a domain as though it had stopped itself. It stays until it is destroyed.</summary>
    public void Shutdown(DomainId domain, ShutdownReason reason)
    {
        using HypercallBuffer call = _privcmd.Rent(sched_remote_shutdown.Size);
        Put16(call.Span[sched_remote_shutdown.domain_id..], domain.Value);
        Put32(call.Span[sched_remote_shutdown.reason..], (uint)reason);
        Check(_privcmd.TryCall(HypercallNumber.sched_op, RemoteShutdown, call.Address), $"shutting down {domain}");
    }

    /// <summary>How much processor time a domain gets, relative to the others' weights, while there is not enough for all.</summary>
    /// <returns>False when the hypervisor's scheduler knows no weights.</returns>
    public bool TryGetWeight(DomainId domain, out int weight)
    {
        using HypercallBuffer? call = ReadScheduling(domain);
        weight = call is null ? 0 : Get16(call.Span[(xen_domctl.u + xen_domctl_scheduler_op.u__credit2__weight)..]);
        return call is not null;
    }

    /// <inheritdoc cref="TryGetWeight"/>
    /// <param name="weight">1 to 65,535.</param>
    public bool TrySetWeight(DomainId domain, ushort weight)
    {
        // What was read goes back with it: the domain's cap stays.
        using HypercallBuffer? call = ReadScheduling(domain);
        if (call is null)
            return false;
        Span<byte> u = call.Span[xen_domctl.u..];
        Put32(u[xen_domctl_scheduler_op.cmd..], PutInfo);
        Put16(u[xen_domctl_scheduler_op.u__credit2__weight..], weight);
        Check(CallDomctl(call), $"giving {domain} the scheduling weight {weight}");
        return true;
    }

    private HypercallBuffer? ReadScheduling(DomainId domain)
    {
        foreach (uint scheduler in s_weighing)
        {
            HypercallBuffer call = RentDomctl(DomctlCommand.scheduler_op, domain);
            Put32(call.Span[(xen_domctl.u + xen_domctl_scheduler_op.sched_id)..], scheduler);
            Put32(call.Span[(xen_domctl.u + xen_domctl_scheduler_op.cmd)..], GetInfo);
            if (CallDomctl(call) >= 0)
                return call;
            Errno error = LastError;
            call.Dispose();
            if (error != Errno.EINVAL) // EINVAL is the answer to another scheduler's number
                throw new XenException($"reading the scheduling weight of {domain}", error);
        }
        return null;
    }
}
