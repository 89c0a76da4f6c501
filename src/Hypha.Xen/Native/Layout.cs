namespace Hypha.Xen.Native;

/// <summary>
/// Where the fields of Xen's structures lie, in bytes, under the structures' own names (public/*.h, x86-64). Two underscores stand for
/// the dot of a nested field. The tests compare every constant here with what a C compiler makes of the headers.
/// </summary>
/// <remarks>createdomain, the one structure that differs between the versions that are known, is in <see cref="DomainConfig"/>.</remarks>
internal static class Layout
{
    internal static class xen_domctl
    {
        internal const int Size = 144;
        internal const int cmd = 0, interface_version = 4, domain = 8, u = 16;
    }

    internal static class xen_domctl_getdomaininfo
    {
        internal const int Size = 112;
        internal const int domain = 0, flags = 4, tot_pages = 8, max_pages = 16, shared_info_frame = 48, cpu_time = 56;
        internal const int nr_online_vcpus = 64, max_vcpu_id = 68, handle = 76;
    }

    internal static class xen_domctl_max_mem
    {
        internal const int max_memkb = 0;
    }

    internal static class xen_domctl_max_vcpus
    {
        internal const int max = 0;
    }

    internal static class xen_domctl_hypercall_init
    {
        internal const int gmfn = 0;
    }

    internal static class xen_domctl_vcpucontext
    {
        internal const int vcpu = 0, ctxt = 8;
    }

    internal static class xen_domctl_address_size
    {
        internal const int size = 0;
    }

    // The one is used for both schedulers; that it may be is what the other is for.
    internal static class xen_domctl_scheduler_op
    {
        internal const int sched_id = 0, cmd = 4, u__credit2__weight = 8, u__credit__weight = u__credit2__weight;
    }

    internal static class xen_domctl_tsc_info
    {
        internal const int tsc_mode = 0;
    }

    internal static class xen_sysctl
    {
        internal const int Size = 136;
        internal const int cmd = 0, interface_version = 4, u = 8;
    }

    internal static class xen_sysctl_physinfo
    {
        internal const int nr_cpus = 8, cpu_khz = 24, capabilities = 28;
        internal const int total_pages = 40, free_pages = 48, scrub_pages = 56, outstanding_pages = 64;
    }

    internal static class xen_sysctl_getdomaininfolist
    {
        internal const int first_domain = 0, max_domains = 4, buffer = 8, num_domains = 16;
    }

    internal static class xen_sysctl_readconsole
    {
        internal const int buffer = 8, count = 16;
    }

    internal static class xen_memory_reservation
    {
        internal const int Size = 32;
        internal const int extent_start = 0, nr_extents = 8, extent_order = 16, mem_flags = 20, domid = 24;
    }

    internal static class xen_memory_domain
    {
        internal const int domid = 0;
    }

    internal static class mmuext_op
    {
        internal const int Size = 24;
        internal const int cmd = 0, arg1__mfn = 8;
    }

    internal static class mmu_update
    {
        internal const int Size = 16;
        internal const int ptr = 0, val = 8;
    }

    internal static class evtchn_alloc_unbound
    {
        internal const int Size = 8;
        internal const int dom = 0, remote_dom = 2, port = 4;
    }

    internal static class evtchn_status
    {
        internal const int Size = 24;
        internal const int dom = 0, port = 4, status = 8;
        internal const int u__unbound__dom = 16, u__interdomain__dom = 16, u__interdomain__port = 20;
    }

    internal static class sched_remote_shutdown
    {
        internal const int Size = 8;
        internal const int domain_id = 0, reason = 4;
    }

    internal static class gnttab_query_size
    {
        internal const int Size = 16;
        internal const int dom = 0, nr_frames = 4, max_nr_frames = 8, status = 12;
    }

    internal static class grant_entry_v1
    {
        internal const int Size = 8;
        internal const int flags = 0, domid = 2, frame = 4;
    }

    internal static class xencons_interface
    {
        internal const int @in = 0, @out = 1024, in_cons = 3072, in_prod = 3076, out_cons = 3080, out_prod = 3084;
    }

    internal static class vchan_interface
    {
        internal const int left__cons = 0, left__prod = 4, right__cons = 8, right__prod = 12, left_order = 16, right_order = 18;
        internal const int cli_live = 20, srv_live = 21, cli_notify = 22, srv_notify = 23, grants = 24;
    }
}
