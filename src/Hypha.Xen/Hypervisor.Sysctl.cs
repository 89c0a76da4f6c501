using Hypha.Linux;
using Hypha.Xen.Native;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_sysctl, public/sysctl.h: operations on the whole machine.</summary>
public sealed partial class Hypervisor
{
    private const int SysctlSize = 136; // struct xen_sysctl
    private const int SysctlUnion = 8;  // its u

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
        ReadOnlySpan<byte> u = call.Span[SysctlUnion..];
        return new PhysicalInfo(
            Cpus: (int)Get32(u[8..]),
            CpuKhz: (int)Get32(u[24..]),
            Capabilities: (PhysicalCapabilities)Get32(u[28..]),
            TotalPages: Get64(u[40..]),
            FreePages: Get64(u[48..]),
            ScrubPages: Get64(u[56..]),
            OutstandingPages: Get64(u[64..]));
    }

    /// <summary>All domains, dying ones too, by number.</summary>
    public List<DomainInfo> ListDomains()
    {
        const int Batch = 128;
        var domains = new List<DomainInfo>();
        using HypercallBuffer list = _privcmd.Rent(Batch * DomainInfo.Size);
        ushort first = 0;
        while (true)
        {
            using HypercallBuffer call = RentSysctl(SysctlCommand.getdomaininfolist);
            Span<byte> u = call.Span[SysctlUnion..];
            Put16(u, first);
            Put32(u[4..], Batch);
            Put64(u[8..], list.Address);
            if (CallSysctl(call) < 0)
                throw XenException.FromLastError("listing the domains");
            int count = Math.Min((int)Get32(u[16..]), Batch);
            for (int i = 0; i < count; i++)
                domains.Add(DomainInfo.Parse(list.Span.Slice(i * DomainInfo.Size, DomainInfo.Size)));
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
        Span<byte> u = call.Span[SysctlUnion..];
        Put64(u[8..], text.Address);
        Put32(u[16..], (uint)buffer.Length);
        if (CallSysctl(call) < 0)
            throw XenException.FromLastError("reading the hypervisor's log");
        int count = Math.Min((int)Get32(u[16..]), buffer.Length);
        text.Span[..count].CopyTo(buffer);
        return count;
    }

    private HypercallBuffer RentSysctl(SysctlCommand command)
    {
        HypercallBuffer call = _privcmd.Rent(SysctlSize);
        Put32(call.Span, (uint)command);
        Put32(call.Span[4..], _sysctl);
        return call;
    }

    private int CallSysctl(HypercallBuffer call) => _privcmd.TryCall(HypercallNumber.sysctl, call.Address);

    private uint ProbeSysctl()
    {
        foreach (uint version in s_sysctlVersions)
        {
            using HypercallBuffer call = RentSysctl(SysctlCommand.physinfo);
            Put32(call.Span[4..], version);
            if (CallSysctl(call) >= 0)
                return version;
            if (LastError != Errno.EACCES) // EACCES is the answer to another version's number
                throw XenException.FromLastError("asking the hypervisor for its sysctl interface");
        }

        throw new XenException($"Xen {Version} has a sysctl interface that Hypha does not know (it knows 0x15 and 0x16, Xen 4.17 to 4.22)");
    }
}
