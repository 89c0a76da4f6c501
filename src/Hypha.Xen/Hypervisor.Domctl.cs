using Hypha.Linux;
using Hypha.Xen.Native;
using System.Runtime.InteropServices;
using static Hypha.Xen.FailureText;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_domctl, public/domctl.h: operations on one domain.</summary>
public sealed partial class Hypervisor
{
    // 0x15 is Xen 4.17, 0x16 4.18, 0x17 4.19 to 4.21, 0x18 4.22.
    private static readonly uint[] s_domctlVersions = [0x15, 0x17, 0x16, 0x18];

    private readonly uint _domctl;

    /// <summary>XEN_DOMCTL_INTERFACE_VERSION of the running hypervisor.</summary>
    public int DomctlVersion => (int)_domctl;

    /// <summary>Makes an empty, paused domain.</summary>
    /// <exception cref="XenException">ENOMEM without memory for it, EINVAL for limits that this hypervisor refuses.</exception>
    public DomainId CreateDomain(DomainConfig config)
    {
        using HypercallBuffer call = RentDomctl(DomctlCommand.createdomain, new DomainId(0)); // 0: Xen chooses the number
        config.Write(call.Span[xen_domctl.u..], _domctl);
        Check(CallDomctl(call), $"creating the domain of {config.Handle}");
        return new DomainId(Get16(call.Span[xen_domctl.domain..]));
    }

    /// <summary>Kills a domain and frees all that it has. What another domain still maps of it is freed when that is unmapped.</summary>
    public void DestroyDomain(DomainId domain) => Simple(DomctlCommand.destroydomain, domain, "destroying");

    public void PauseDomain(DomainId domain) => Simple(DomctlCommand.pausedomain, domain, "pausing");

    public void UnpauseDomain(DomainId domain) => Simple(DomctlCommand.unpausedomain, domain, "unpausing");

    /// <returns>False when there is no such domain.</returns>
    public bool TryGetDomain(DomainId domain, out DomainInfo info)
    {
        using HypercallBuffer call = RentDomctl(DomctlCommand.getdomaininfo, domain);
        if (CallDomctl(call) < 0)
        {
            info = default;
            return LastError == Errno.ESRCH ? false : throw XenException.FromLastError($"reading the state of {domain}");
        }

        info = DomainInfo.Parse(call.Span[xen_domctl.u..]);
        return info.Id == domain;
    }

    /// <summary>Limits the memory that the domain may have.</summary>
    public void SetMaxMemory(DomainId domain, long kib)
    {
        using HypercallBuffer call = RentDomctl(DomctlCommand.max_mem, domain);
        Put64(call.Span[(xen_domctl.u + xen_domctl_max_mem.max_memkb)..], (ulong)kib);
        Check(CallDomctl(call), $"limiting {domain} to {kib} KiB");
    }

    /// <summary>Makes the domain's virtual CPUs; <paramref name="count"/> is what it was created with.</summary>
    public void SetMaxVcpus(DomainId domain, int count)
    {
        using HypercallBuffer call = RentDomctl(DomctlCommand.max_vcpus, domain);
        Put32(call.Span[(xen_domctl.u + xen_domctl_max_vcpus.max)..], (uint)count);
        Check(CallDomctl(call), $"giving {domain} {count} virtual CPUs");
    }

    /// <summary>Writes the hypercall page into a page of a PV guest.</summary>
    public void InitializeHypercallPage(DomainId domain, Mfn page)
    {
        using HypercallBuffer call = RentDomctl(DomctlCommand.hypercall_init, domain);
        Put64(call.Span[(xen_domctl.u + xen_domctl_hypercall_init.gmfn)..], page.Value);
        Check(CallDomctl(call), $"writing the hypercall page of {domain} at {page}");
    }

    /// <summary>Sets a virtual CPU's registers. The first call to a CPU of a new guest also makes it ready to run.</summary>
    public void SetVcpuContext(DomainId domain, int vcpu, in VcpuGuestContext context)
    {
        using HypercallBuffer registers = _privcmd.Rent(VcpuGuestContext.Size);
        MemoryMarshal.Write(registers.Span, in context);
        using HypercallBuffer call = RentVcpuContext(DomctlCommand.setvcpucontext, domain, vcpu, registers);
        Check(CallDomctl(call), $"setting the registers of virtual CPU {vcpu} of {domain}");
    }

    public VcpuGuestContext GetVcpuContext(DomainId domain, int vcpu)
    {
        using HypercallBuffer registers = _privcmd.Rent(VcpuGuestContext.Size);
        using HypercallBuffer call = RentVcpuContext(DomctlCommand.getvcpucontext, domain, vcpu, registers);
        Check(CallDomctl(call), $"reading the registers of virtual CPU {vcpu} of {domain}");
        return MemoryMarshal.Read<VcpuGuestContext>(registers.Span);
    }

    /// <summary>Makes a PV guest 32 or 64 bits wide; it is 64 when created. Only before it has memory.</summary>
    public void SetAddressSize(DomainId domain, int bits)
    {
        using HypercallBuffer call = RentDomctl(DomctlCommand.set_address_size, domain);
        Put32(call.Span[(xen_domctl.u + xen_domctl_address_size.size)..], (uint)bits);
        Check(CallDomctl(call), $"making {domain} a guest of {bits} bits");
    }

    public int GetAddressSize(DomainId domain)
    {
        using HypercallBuffer call = RentDomctl(DomctlCommand.get_address_size, domain);
        Check(CallDomctl(call), $"reading the address size of {domain}");
        return (int)Get32(call.Span[(xen_domctl.u + xen_domctl_address_size.size)..]);
    }

    /// <summary>How the guest's time stamp counter behaves; 0 is Xen's default: native where it is safe, else emulated.</summary>
    public void SetTscMode(DomainId domain, int mode)
    {
        using HypercallBuffer call = RentDomctl(DomctlCommand.settscinfo, domain);
        Put32(call.Span[(xen_domctl.u + xen_domctl_tsc_info.tsc_mode)..], (uint)mode);
        Check(CallDomctl(call), $"setting the TSC mode of {domain}");
    }

    private void Simple(DomctlCommand command, DomainId domain, string doing)
    {
        using HypercallBuffer call = RentDomctl(command, domain);
        Check(CallDomctl(call), $"{doing} {domain}");
    }

    private HypercallBuffer RentVcpuContext(DomctlCommand command, DomainId domain, int vcpu, HypercallBuffer registers)
    {
        HypercallBuffer call = RentDomctl(command, domain);
        Put32(call.Span[(xen_domctl.u + xen_domctl_vcpucontext.vcpu)..], (uint)vcpu);
        Put64(call.Span[(xen_domctl.u + xen_domctl_vcpucontext.ctxt)..], registers.Address);
        return call;
    }

    private HypercallBuffer RentDomctl(DomctlCommand command, DomainId domain)
    {
        HypercallBuffer call = _privcmd.Rent(xen_domctl.Size);
        Put32(call.Span[xen_domctl.cmd..], (uint)command);
        Put32(call.Span[xen_domctl.interface_version..], _domctl);
        Put16(call.Span[xen_domctl.domain..], domain.Value);
        return call;
    }

    private int CallDomctl(HypercallBuffer call) => _privcmd.TryCall(HypercallNumber.domctl, call.Address);

    private uint ProbeDomctl()
    {
        foreach (uint version in s_domctlVersions)
        {
            using HypercallBuffer call = RentDomctl(DomctlCommand.getdomaininfo, DomainId.Zero);
            Put32(call.Span[xen_domctl.interface_version..], version);
            if (CallDomctl(call) >= 0)
                return version;
            if (LastError != Errno.EACCES) // EACCES is the answer to another version's number
                throw XenException.FromLastError("asking the hypervisor for its domctl interface");
        }

        throw new XenException($"Xen {Version} has a domctl interface that Hypha does not know (it knows 0x15 to 0x18, Xen 4.17 to 4.22)");
    }
}
