using Hypha.Linux;
using Hypha.Xen.Native;
using System.Runtime.InteropServices;
using static Hypha.Xen.FailureText;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_memory_op, public/memory.h.</summary>
public sealed partial class Hypervisor
{
    // 512 KiB of buffer a call; more extents than that go in several calls.
    private const int ExtentsPerCall = 65536;

    /// <summary>
    /// Gives a domain memory at the places named: for each of <paramref name="bases"/> an extent of 2^<paramref name="order"/>
    /// pages, contiguous in the machine's memory. Xen's machine-to-physical table is updated, too. <paramref name="machine"/>
    /// receives the first machine frame of each extent.
    /// </summary>
    /// <returns>How many extents were populated, from the first on. Fewer than asked: no more of this order is free, or the
    /// domain's limit is reached.</returns>
    public int PopulatePhysmap(DomainId domain, int order, ReadOnlySpan<Pfn> bases, Span<Mfn> machine)
    {
        int done = 0;
        using HypercallBuffer extents = _privcmd.Rent(Math.Min(bases.Length, ExtentsPerCall) * sizeof(ulong));
        while (done < bases.Length)
        {
            int count = Math.Min(bases.Length - done, ExtentsPerCall);
            MemoryMarshal.AsBytes(bases.Slice(done, count)).CopyTo(extents.Span);
            int populated = CallReservation(MemoryOp.populate_physmap, domain, order, extents.Address, count);
            if (populated < 0 && LastError is not Errno.ENOMEM)
                throw XenException.FromLastError($"populating {count} extents of {1L << order} pages of {domain} from {bases[done]}");
            populated = Math.Max(populated, 0);
            MemoryMarshal.Cast<byte, Mfn>(extents.Span)[..populated].CopyTo(machine[done..]);
            done += populated;
            if (populated < count)
                break;
        }

        return done;
    }

    /// <summary>Takes extents of memory away from a domain and frees them.</summary>
    /// <returns>How many, from the first on.</returns>
    public int DecreaseReservation(DomainId domain, int order, ReadOnlySpan<Mfn> bases)
    {
        int done = 0;
        using HypercallBuffer extents = _privcmd.Rent(Math.Min(bases.Length, ExtentsPerCall) * sizeof(ulong));
        while (done < bases.Length)
        {
            int count = Math.Min(bases.Length - done, ExtentsPerCall);
            MemoryMarshal.AsBytes(bases.Slice(done, count)).CopyTo(extents.Span);
            int freed = Check(CallReservation(MemoryOp.decrease_reservation, domain, order, extents.Address, count),
                $"taking {count} extents of {1L << order} pages from {domain}");
            done += freed;
            if (freed < count)
                break;
        }

        return done;
    }

    /// <summary>
    /// Reserves memory for a domain before any is given to it, at once and without touching it: so a domain that does not fit
    /// is refused at the start. 0 gives back what is left of the claim; what was populated counts against it.
    /// </summary>
    /// <returns>False when that much is not free.</returns>
    public bool TryClaimPages(DomainId domain, ulong pages)
    {
        if (CallReservation(MemoryOp.claim_pages, domain, 0, 0, (long)pages) >= 0)
            return true;
        return LastError == Errno.ENOMEM ? false : throw XenException.FromLastError($"claiming {pages} pages for {domain}");
    }

    /// <summary>The highest frame number that the guest uses.</summary>
    public Pfn ReadMaximumFrame(DomainId domain)
    {
        using HypercallBuffer call = _privcmd.Rent(sizeof(ulong));
        Put16(call.Span[xen_memory_domain.domid..], domain.Value);
        int frame = Check(_privcmd.TryCall(HypercallNumber.memory_op, (ulong)MemoryOp.maximum_gpfn, call.Address),
            $"reading the highest frame of {domain}");
        return new Pfn((ulong)frame);
    }

    private int CallReservation(MemoryOp op, DomainId domain, int order, ulong extents, long count)
    {
        using HypercallBuffer call = _privcmd.Rent(xen_memory_reservation.Size);
        Span<byte> reservation = call.Span;
        Put64(reservation[xen_memory_reservation.extent_start..], extents);
        Put64(reservation[xen_memory_reservation.nr_extents..], (ulong)count);
        Put32(reservation[xen_memory_reservation.extent_order..], (uint)order);
        Put32(reservation[xen_memory_reservation.mem_flags..], 0); // any memory
        Put16(reservation[xen_memory_reservation.domid..], domain.Value);
        return _privcmd.TryCall(HypercallNumber.memory_op, (ulong)op, call.Address);
    }
}
