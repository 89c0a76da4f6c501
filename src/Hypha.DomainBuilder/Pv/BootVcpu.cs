using Hypha.Xen;

namespace Hypha.DomainBuilder.Pv;

/// <summary>The first virtual CPU's registers at the guest's first instruction. The guest's kernel brings up the others.</summary>
internal static class BootVcpu
{
    // arch-x86/xen-x86_64.h: FLAT_KERNEL_CS, FLAT_KERNEL_SS; FLAT_KERNEL_DS is the null selector.
    private const ushort FlatKernelCs = 0xe033, FlatKernelSs = 0xe02b;
    private const ulong InterruptFlag = 1 << 9;

    public static VcpuGuestContext Context(PvLayout layout, Mfn topTable)
    {
        VcpuGuestContext context = new()
        {
            Flags = VcpuContextFlags.InKernel | VcpuContextFlags.Online,
            KernelSs = FlatKernelSs,
            KernelSp = layout.AddressOf(layout.Stack + 1),
        };
        context.Registers.Cs = FlatKernelCs;
        context.Registers.Ss = FlatKernelSs;
        context.Registers.Rip = layout.Entry;
        context.Registers.Rsp = layout.AddressOf(layout.Stack + 1);
        context.Registers.Rsi = layout.AddressOf(layout.StartInfo);
        context.Registers.Rflags = InterruptFlag;
        context.ControlRegisters[3] = VcpuGuestContext.ToCr3(topTable);
        context.DebugRegisters[6] = 0xffff0ff0; // Intel SDM volume 3, 17.2: the values after reset
        context.DebugRegisters[7] = 0x400;
        return context;
    }
}
