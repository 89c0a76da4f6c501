using Hypha.Xen.Native;
using static Hypha.Xen.FailureText;
using static Hypha.Xen.Native.Layout;

namespace Hypha.Xen;

/// <summary>HYPERVISOR_mmuext_op and HYPERVISOR_mmu_update, public/xen.h: a PV guest's page tables, from outside.</summary>
public sealed partial class Hypervisor
{
    private const uint MachphysUpdate = 1; // MMU_MACHPHYS_UPDATE, in the low bits of mmu_update.ptr
    private const int MmuUpdatesPerCall = 16384;

    /// <summary>Does one thing to one page of a PV guest: <c>PinL4Table</c> makes Xen check its page tables and keep them so.</summary>
    /// <exception cref="XenException">EINVAL when the tables are not as a PV guest's must be; the hypervisor's log says why.</exception>
    public void MmuExtended(DomainId domain, MmuExtCommand command, Mfn page) => MmuExtended(domain, command, [page]);

    /// <summary>Fills pages of a guest with zeroes, without their being mapped here.</summary>
    public void ClearPages(DomainId domain, ReadOnlySpan<Mfn> pages) => MmuExtended(domain, MmuExtCommand.ClearPage, pages);

    private void MmuExtended(DomainId domain, MmuExtCommand command, ReadOnlySpan<Mfn> pages)
    {
        using HypercallBuffer call = _privcmd.Rent(Math.Min(pages.Length, MmuUpdatesPerCall) * mmuext_op.Size);
        while (!pages.IsEmpty)
        {
            int count = Math.Min(pages.Length, MmuUpdatesPerCall);
            for (int i = 0; i < count; i++)
            {
                Span<byte> op = call.Span.Slice(i * mmuext_op.Size, mmuext_op.Size);
                Put32(op[mmuext_op.cmd..], (uint)command);
                Put64(op[mmuext_op.arg1__mfn..], pages[i].Value);
            }

            Check(_privcmd.TryCall(HypercallNumber.mmuext_op, call.Address, (ulong)count, 0, domain.Value),
                $"{command} of {count} pages of {domain} from {pages[0]}");
            pages = pages[count..];
        }
    }

    /// <summary>Tells Xen which of the guest's frames each machine frame is. <see cref="PopulatePhysmap"/> has done so already.</summary>
    public void UpdateMachineToPhysical(DomainId domain, ReadOnlySpan<Mfn> machine, ReadOnlySpan<Pfn> frames)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(frames.Length, machine.Length);
        using HypercallBuffer call = _privcmd.Rent(Math.Min(machine.Length, MmuUpdatesPerCall) * mmu_update.Size);
        for (int done = 0; done < machine.Length;)
        {
            int count = Math.Min(machine.Length - done, MmuUpdatesPerCall);
            for (int i = 0; i < count; i++)
            {
                Span<byte> update = call.Span.Slice(i * mmu_update.Size, mmu_update.Size);
                Put64(update[mmu_update.ptr..], (machine[done + i].Value << Page.Shift) | MachphysUpdate);
                Put64(update[mmu_update.val..], frames[done + i].Value);
            }

            Check(_privcmd.TryCall(HypercallNumber.mmu_update, call.Address, (ulong)count, 0, domain.Value),
                $"updating the machine-to-physical table with {count} frames of {domain}");
            done += count;
        }
    }
}
