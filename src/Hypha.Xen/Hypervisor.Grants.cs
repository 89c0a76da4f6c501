using Hypha.Xen.Native;
using static Hypha.Xen.FailureText;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_grant_table_op on other domains, public/grant_table.h.</summary>
public sealed partial class Hypervisor
{
    private const ulong QuerySize = 6; // GNTTABOP_query_size

    /// <summary>How large a domain's grant table is and may become, in pages.</summary>
    public (int Frames, int MaxFrames) ReadGrantTableSize(DomainId domain)
    {
        using HypercallBuffer call = _privcmd.Rent(gnttab_query_size.Size);
        Put16(call.Span[gnttab_query_size.dom..], domain.Value);
        Check(_privcmd.TryCall(HypercallNumber.grant_table_op, QuerySize, call.Address, 1), $"reading the size of the grant table of {domain}");
        short status = (short)Get16(call.Span[gnttab_query_size.status..]);
        return status == 0 ? ((int)Get32(call.Span[gnttab_query_size.nr_frames..]), (int)Get32(call.Span[gnttab_query_size.max_nr_frames..]))
            : throw new XenException($"reading the size of the grant table of {domain}: refused (GNTST {status})");
    }

    /// <summary>Maps the first pages of a domain's grant table, to write grants in its name before it runs.</summary>
    public GrantTable MapGrantTable(DomainId domain, int frames = 1) => GrantTable.Map(_privcmd, domain, frames);
}
