using Hypha.Linux;
using Hypha.Xen.Native;
using System.Runtime.InteropServices;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>
/// Another domain's grant table (version 1), mapped: whoever builds a domain grants its console and xenstore pages in its name, as
/// Xen has the grants of a new guest only so.
/// </summary>
public sealed class GrantTable : IDisposable
{
    private const uint ResourceGrantTable = 1; // XENMEM_resource_grant_table
    private const uint Shared = 0;             // XENMEM_resource_grant_table_id_shared
    private const ushort PermitAccess = 1;     // GTF_permit_access
    private const ushort ReadOnly = 1 << 2;    // GTF_readonly

    private readonly MemoryMapping _memory;
    private readonly DomainId _domain;

    private GrantTable(MemoryMapping memory, DomainId domain)
    {
        _memory = memory;
        _domain = domain;
    }

    public int Entries => _memory.Length / grant_entry_v1.Size;

    /// <summary>Lets <paramref name="grantee"/> map a page of the domain.</summary>
    public void Permit(GrantRef grant, DomainId grantee, Mfn page, MemoryAccess access = MemoryAccess.ReadWrite)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(grant.Value, (uint)Entries);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(page.Value, uint.MaxValue);
        Span<byte> entry = _memory.Span.Slice((int)grant.Value * grant_entry_v1.Size, grant_entry_v1.Size);
        MemoryMarshal.Write(entry[grant_entry_v1.domid..], grantee.Value);
        MemoryMarshal.Write(entry[grant_entry_v1.frame..], (uint)page.Value);

        // public/grant_table.h: the flags make the entry valid, so they come last.
        Volatile.Write(ref MemoryMarshal.AsRef<ushort>(entry[grant_entry_v1.flags..]), (ushort)(PermitAccess | (access == MemoryAccess.Read ? ReadOnly : 0)));
    }

    // unsafe: the kernel reads the request from this frame of the stack.
    internal static unsafe GrantTable Map(Privcmd privcmd, DomainId domain, int frames)
    {
        string what = $"mapping the grant table of {domain}";
        MemoryMapping memory = ForeignMemory.Reserve(privcmd, frames, MemoryAccess.ReadWrite, what);
        var request = new PrivcmdIoctl.MmapResourceArguments
        {
            dom = domain.Value,
            type = ResourceGrantTable,
            id = Shared,
            idx = 0,
            num = (ulong)frames,
            addr = (ulong)memory.Address,
        };
        if (privcmd.File.TryIoctl(PrivcmdIoctl.MmapResource, (nint)(&request)) < 0)
        {
            XenException error = XenException.FromLastError(what);
            memory.Dispose();
            throw error;
        }

        return new GrantTable(memory, domain);
    }

    public override string ToString() => $"grant table of {_domain}";

    public void Dispose() => _memory.Dispose();
}
