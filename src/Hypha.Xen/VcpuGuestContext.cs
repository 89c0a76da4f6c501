using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypha.Xen;

/// <summary>A 64-bit PV guest's virtual CPU as Xen keeps it (public/arch-x86/xen.h, vcpu_guest_context).</summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
public struct VcpuGuestContext
{
    public const int Size = 5168; // bytes

    [FieldOffset(512)] public VcpuContextFlags Flags;
    [FieldOffset(520)] public CpuUserRegisters Registers;

    /// <summary>The virtual IDT.</summary>
    [FieldOffset(720)] public TrapTable Traps;

    [FieldOffset(4816)] public ulong LdtBase;
    [FieldOffset(4824)] public ulong LdtEntries;

    /// <summary>The machine frames that hold the GDT.</summary>
    [FieldOffset(4832)] public SixteenWords GdtFrames;

    [FieldOffset(4960)] public ulong GdtEntries;
    [FieldOffset(4968)] public ulong KernelSs;
    [FieldOffset(4976)] public ulong KernelSp;

    /// <summary>CR0 to CR7; CR3 holds <see cref="ToCr3"/> of the top page table, CR1 that of user mode.</summary>
    [FieldOffset(4984)] public EightWords ControlRegisters;

    [FieldOffset(5048)] public EightWords DebugRegisters;
    [FieldOffset(5112)] public ulong EventCallback;
    [FieldOffset(5120)] public ulong FailsafeCallback;
    [FieldOffset(5128)] public ulong SyscallCallback;
    [FieldOffset(5136)] public ulong VmAssist;
    [FieldOffset(5144)] public ulong FsBase;
    [FieldOffset(5152)] public ulong GsBaseKernel;
    [FieldOffset(5160)] public ulong GsBaseUser;

    /// <summary>xen_pfn_to_cr3 of a 64-bit guest.</summary>
    public static ulong ToCr3(Mfn topTable) => topTable.Value << Page.Shift;
}

/// <summary>VGCF_*.</summary>
[Flags]
public enum VcpuContextFlags : ulong
{
    FpuValid = 1 << 0,
    InKernel = 1 << 2,
    FailsafeDisablesEvents = 1 << 3,
    SyscallDisablesEvents = 1 << 4,
    Online = 1 << 5,
}

/// <summary>public/arch-x86/xen-x86_64.h, cpu_user_regs.</summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
public struct CpuUserRegisters
{
    public const int Size = 200; // bytes

    [FieldOffset(0)] public ulong R15;
    [FieldOffset(8)] public ulong R14;
    [FieldOffset(16)] public ulong R13;
    [FieldOffset(24)] public ulong R12;
    [FieldOffset(32)] public ulong Rbp;
    [FieldOffset(40)] public ulong Rbx;
    [FieldOffset(48)] public ulong R11;
    [FieldOffset(56)] public ulong R10;
    [FieldOffset(64)] public ulong R9;
    [FieldOffset(72)] public ulong R8;
    [FieldOffset(80)] public ulong Rax;
    [FieldOffset(88)] public ulong Rcx;
    [FieldOffset(96)] public ulong Rdx;
    [FieldOffset(104)] public ulong Rsi;
    [FieldOffset(112)] public ulong Rdi;
    [FieldOffset(120)] public uint ErrorCode;
    [FieldOffset(124)] public uint EntryVector;
    [FieldOffset(128)] public ulong Rip;
    [FieldOffset(136)] public ushort Cs;
    [FieldOffset(140)] public byte SavedUpcallMask;
    [FieldOffset(144)] public ulong Rflags;
    [FieldOffset(152)] public ulong Rsp;
    [FieldOffset(160)] public ushort Ss;
    [FieldOffset(168)] public ushort Es;
    [FieldOffset(176)] public ushort Ds;
    [FieldOffset(184)] public ushort Fs;
    [FieldOffset(192)] public ushort Gs;
}

/// <summary>public/arch-x86/xen.h, trap_info.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
public struct TrapInfo
{
    [FieldOffset(0)] public byte Vector;
    [FieldOffset(1)] public byte Flags;
    [FieldOffset(2)] public ushort Cs;
    [FieldOffset(8)] public ulong Address;
}

[InlineArray(256)]
public struct TrapTable
{
    private TrapInfo _first;
}

[InlineArray(16)]
public struct SixteenWords
{
    private ulong _first;
}

[InlineArray(8)]
public struct EightWords
{
    private ulong _first;
}
