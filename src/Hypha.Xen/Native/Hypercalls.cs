namespace Hypha.Xen.Native;

/// <summary>Hypercall numbers, public/xen.h (__HYPERVISOR_*).</summary>
internal enum HypercallNumber : ulong
{
    mmu_update = 1,
    memory_op = 12,
    xen_version = 17,
    grant_table_op = 20,
    mmuext_op = 26,
    sched_op = 29,
    event_channel_op = 32,
    sysctl = 35,
    domctl = 36,
}

/// <summary>public/version.h</summary>
internal enum XenVersionOp : ulong
{
    version = 0,
    extraversion = 1,
    compile_info = 2,
    capabilities = 3,
    changeset = 4,
    commandline = 9,
}

/// <summary>public/memory.h (XENMEM_*)</summary>
internal enum MemoryOp : ulong
{
    increase_reservation = 0,
    decrease_reservation = 1,
    maximum_ram_page = 2,
    current_reservation = 3,
    maximum_reservation = 4,
    populate_physmap = 6,
    maximum_gpfn = 14,
    claim_pages = 24,
}

/// <summary>public/event_channel.h (EVTCHNOP_*)</summary>
internal enum EventChannelOp : ulong
{
    close = 3,
    status = 5,
    alloc_unbound = 6,
}


/// <summary>public/domctl.h (XEN_DOMCTL_*)</summary>
internal enum DomctlCommand : uint
{
    createdomain = 1,
    destroydomain = 2,
    pausedomain = 3,
    unpausedomain = 4,
    getdomaininfo = 5,
    max_mem = 11,
    setvcpucontext = 12,
    getvcpucontext = 13,
    getvcpuinfo = 14,
    max_vcpus = 15,
    scheduler_op = 16,
    setdomainhandle = 17,
    hypercall_init = 22,
    set_address_size = 35,
    get_address_size = 36,
    gettscinfo = 59,
    settscinfo = 60,
}

/// <summary>public/sysctl.h (XEN_SYSCTL_*)</summary>
internal enum SysctlCommand : uint
{
    readconsole = 1,
    physinfo = 3,
    getdomaininfolist = 6,
}
