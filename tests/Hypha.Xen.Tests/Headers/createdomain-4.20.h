/* SPDX-License-Identifier: MIT */
/*
 * Excerpt of Xen 4.20's xen/include/public/domctl.h (XEN_DOMCTL_INTERFACE_VERSION 0x17),
 * Copyright (c) 2002-2003, B Dragovic; Copyright (c) 2002-2006, K Fraser.
 * The structure renamed, so that it can stand beside 4.17's.
 */
struct xen_domctl_createdomain_0x17 {
    uint32_t ssidref;
    xen_domain_handle_t handle;
    uint32_t flags;
    uint32_t iommu_opts;
    uint32_t max_vcpus;
    uint32_t max_evtchn_port;
    int32_t max_grant_frames;
    int32_t max_maptrack_frames;
    uint32_t grant_opts;
    uint32_t altp2m_opts;
    uint32_t vmtrace_size;
    uint32_t cpupool_id;
    struct xen_arch_domainconfig arch;
};
