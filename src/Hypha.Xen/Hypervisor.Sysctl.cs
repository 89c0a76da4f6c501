using Hypha.Linux;
using Hypha.Xen.Native;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_sysctl, public/sysctl.h: operations on the whole machine.</summary>
public sealed partial class Hypervisor
{
    // 0x15 is Xen 4.17 to 4.20, 0x16 is 4.21 and 4.22; what is used here is the same in both.
    private static readonly uint[] s_sysctlVersions = [0x15, 0x16];

    private readonly uint _sysctl;

    /// <summary>XEN_SYSCTL_INTERFACE_VERSION of the running hypervisor.</summary>
    public int SysctlVersion => (int)_sysctl;

    public PhysicalInfo ReadPhysicalInfo()
    {
        using HypercallBuffer call = RentSysctl(SysctlCommand.physinfo);
        if (CallSysctl(call) < 0)
            throw XenException.FromLastError("reading the machine's memory and processors");
        ReadOnlySpan<byte> u = call.Span[xen_sysctl.u..];
        return new PhysicalInfo(
            Cpus: (int)Get32(u[xen_sysctl_physinfo.nr_cpus..]),
            CpuKhz: (int)Get32(u[xen_sysctl_physinfo.cpu_khz..]),
            Capabilities: (PhysicalCapabilities)Get32(u[xen_sysctl_physinfo.capabilities..]),
            TotalPages: Get64(u[xen_sysctl_physinfo.total_pages..]),
            FreePages: Get64(u[xen_sysctl_physinfo.free_pages..]),
            ScrubPages: Get64(u[xen_sysctl_physinfo.scrub_pages..]),
            OutstandingPages: Get64(u[xen_sysctl_physinfo.outstanding_pages..]));
    }

    /// <summary>All domains, dying ones too, by number.</summary>
    public List<DomainInfo> ListDomains()
    {
        const int Batch = 128;
        var domains = new List<DomainInfo>();
        using HypercallBuffer list = _privcmd.Rent(Batch * xen_domctl_getdomaininfo.Size);
        ushort first = 0;
        while (true)
        {
            using HypercallBuffer call = RentSysctl(SysctlCommand.getdomaininfolist);
            Span<byte> u = call.Span[xen_sysctl.u..];
            Put16(u[xen_sysctl_getdomaininfolist.first_domain..], first);
            Put32(u[xen_sysctl_getdomaininfolist.max_domains..], Batch);
            Put64(u[xen_sysctl_getdomaininfolist.buffer..], list.Address);
            if (CallSysctl(call) < 0)
                throw XenException.FromLastError("listing the domains");
            int count = Math.Min((int)Get32(u[xen_sysctl_getdomaininfolist.num_domains..]), Batch);
            for (int i = 0; i < count; i++)
                domains.Add(DomainInfo.Parse(list.Span[(i * xen_domctl_getdomaininfo.Size)..]));
            if (count < Batch)
                return domains;
            first = (ushort)(domains[^1].Id.Value + 1);
        }
    }

    /// <summary>The newest part of the hypervisor's own log, at most <paramref name="buffer"/>'s length.</summary>
    /// <returns>How many bytes were written.</returns>
    public int ReadConsole(Span<byte> buffer)
    {
        using HypercallBuffer text = _privcmd.Rent(buffer.Length);
        using HypercallBuffer call = RentSysctl(SysctlCommand.readconsole);
        Span<byte> u = call.Span[xen_sysctl.u..];
        Put64(u[xen_sysctl_readconsole.buffer..], text.Address);
        Put32(u[xen_sysctl_readconsole.count..], (uint)buffer.Length);
        if (CallSysctl(call) < 0)
            throw XenException.FromLastError("reading the hypervisor's log");
        int count = Math.Min((int)Get32(u[xen_sysctl_readconsole.count..]), buffer.Length);
        text.Span[..count].CopyTo(buffer);
        return count;
    }

    private HypercallBuffer RentSysctl(SysctlCommand command)
    {
        HypercallBuffer call = _privcmd.Rent(xen_sysctl.Size);
        Put32(call.Span[xen_sysctl.cmd..], (uint)command);
        Put32(call.Span[xen_sysctl.interface_version..], _sysctl);
        return call;
    }

    private int CallSysctl(HypercallBuffer call) => _privcmd.TryCall(HypercallNumber.sysctl, call.Address);

    private uint ProbeSysctl()
    {
        foreach (uint version in s_sysctlVersions)
        {
            using HypercallBuffer call = RentSysctl(SysctlCommand.physinfo);
            Put32(call.Span[xen_sysctl.interface_version..], version);
            if (CallSysctl(call) >= 0)
                return version;
            if (LastError != Errno.EACCES) // EACCES is the answer to another version's number
                throw XenException.FromLastError("asking the hypervisor for its sysctl interface");
        }

        throw new XenException($"Xen {Version} has a sysctl interface that Hypha does not know (it knows 0x15 and 0x16, Xen 4.17 to 4.22)");
    }
}
