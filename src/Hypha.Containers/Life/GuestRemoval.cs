using Hypha.Containers.Devices;
using Hypha.Containers.Records;
using Hypha.Xen;

namespace Hypha.Containers.Life;

/// <summary>
/// Removes a guest from the host, from nothing but its container's and its domain's number: so it serves an ended container, a
/// failed launch, and what a daemon that died left behind alike. Every step may find its work done.
/// </summary>
internal static class GuestRemoval
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(HostResources host, ContainerId id, DomainId domain)
    {
        // The number may have gone to somebody else's domain since: the handle tells.
        bool alive = host.Xen.TryGetDomain(domain, out var info) && info.Handle == id.Value;
        if (alive)
            await DestroyDomainAsync(host, domain).ConfigureAwait(false);
        await DomainNodes.RemoveAsync(host.Store, domain, id.Value).ConfigureAwait(false);
        if (alive)
            await host.Domains.WaitUntilGoneAsync(domain, id.Value, s_patience).ConfigureAwait(false);
    }

    private static async Task DestroyDomainAsync(HostResources host, DomainId domain)
    {
        // Large domains give back their memory in steps: the hypervisor says EAGAIN between them.
        while (true)
        {
            try
            {
                host.Xen.DestroyDomain(domain);
                return;
            }
            catch (XenException error) when (error.Error is Linux.Errno.EAGAIN)
            {
                await Task.Yield();
            }
            catch (XenException error) when (error.Error is Linux.Errno.ESRCH)
            {
                return;
            }
        }
    }
}
