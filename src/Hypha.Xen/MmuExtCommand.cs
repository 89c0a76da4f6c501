namespace Hypha.Xen;

/// <summary>What <see cref="Hypervisor.MmuExtended(DomainId, MmuExtCommand, Mfn)"/> does to a page of a PV guest (public/xen.h, MMUEXT_*).</summary>
public enum MmuExtCommand : uint
{
    PinL1Table = 0,
    PinL2Table = 1,
    PinL3Table = 2,
    PinL4Table = 3,
    UnpinTable = 4,
    ClearPage = 16,
}
