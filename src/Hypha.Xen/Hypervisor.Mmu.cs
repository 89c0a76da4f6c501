using Hypha.Xen.Native;
using System.Runtime.InteropServices;
using static Hypha.Xen.FailureText;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_mmuext_op and HYPERVISOR_mmu_update, public/xen.h: a PV guest's page tables, from outside.</summary>
public sealed partial class Hypervisor
{
    private const int MmuExtSize = 24;    // struct mmuext_op
    private const uint MmuExtClearPage = 16; // MMUEXT_CLEAR_PAGE
    private const int MmuUpdateSize = 16; // struct mmu_update
    private const uint MachphysUpdate = 1; // MMU_MACHPHYS_UPDATE, in the low bits of mmu_update.ptr
    private const int MmuUpdatesPerCall = 16384;

    /// <summary>Does one thing to one page of a PV guest: <c>PinL4Table</c> makes Xen check its page tables and keep them so.</summary>
    /// <exception cref="XenException">EINVAL when the tables are not as a PV guest's must be; the hypervisor's log says why.</exception>
    public void MmuExtended(DomainId domain, MmuExtCommand command, Mfn page)
    {
        using HypercallBuffer call = _privcmd.Rent(MmuExtSize);
        Put32(call.Span, (uint)command);      // 0..4, cmd
        Put64(call.Span[8..], page.Value);    // 8..16, arg1.mfn
        Check(_privcmd.TryCall(HypercallNumber.mmuext_op, call.Address, 1, 0, domain.Value), $"{command} at {page} of {domain}");
    }

    /// <summary>Fills pages of a guest with zeroes, without their being mapped here.</summary>
    public void ClearPages(DomainId domain, ReadOnlySpan<Mfn> pages)
    {
        using HypercallBuffer call = _privcmd.Rent(Math.Min(pages.Length, MmuUpdatesPerCall) * MmuExtSize);
        while (!pages.IsEmpty)
        {
            int count = Math.Min(pages.Length, MmuUpdatesPerCall);
            for (int i = 0; i < count; i++)
            {
                Span<byte> op = call.Span[(i * MmuExtSize)..];
                Put32(op, MmuExtClearPage);
                Put64(op[8..], pages[i].Value);
            }

            Check(_privcmd.TryCall(HypercallNumber.mmuext_op, call.Address, (ulong)count, 0, domain.Value),
                $"clearing {count} pages of {domain} from {pages[0]}");
            pages = pages[count..];
        }
    }

    /// <summary>Tells Xen which of the guest's frames each machine frame is. <see cref="PopulatePhysmap"/> has done so already.</summary>
    public void UpdateMachineToPhysical(DomainId domain, ReadOnlySpan<Mfn> machine, ReadOnlySpan<Pfn> frames)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(frames.Length, machine.Length);
        using HypercallBuffer call = _privcmd.Rent(Math.Min(machine.Length, MmuUpdatesPerCall) * MmuUpdateSize);
        for (int done = 0; done < machine.Length;)
        {
            int count = Math.Min(machine.Length - done, MmuUpdatesPerCall);
            Span<ulong> updates = MemoryMarshal.Cast<byte, ulong>(call.Span);
            for (int i = 0; i < count; i++)
            {
                updates[2 * i] = (machine[done + i].Value << Page.Shift) | MachphysUpdate;
                updates[(2 * i) + 1] = frames[done + i].Value;
            }

            Check(_privcmd.TryCall(HypercallNumber.mmu_update, call.Address, (ulong)count, 0, domain.Value),
                $"updating the machine-to-physical table with {count} frames of {domain}");
            done += count;
        }
    }
}
