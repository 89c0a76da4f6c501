namespace Hypha.DomainBuilder.Kernel;

/// <summary>A PT_LOAD program header: bytes of the file and where they go.</summary>
/// <param name="Offset">In the file.</param>
/// <param name="VirtualAddress">p_vaddr; 0 for Linux's per-CPU segment, so that nothing may be derived from it.</param>
/// <param name="PhysicalAddress">p_paddr, which decides the place.</param>
/// <param name="FileSize">Bytes that come from the file.</param>
/// <param name="MemorySize">Bytes in memory; those behind <paramref name="FileSize"/> are zero.</param>
/// <param name="Flags">p_flags, kept as they are.</param>
public readonly record struct ElfSegment(
    long Offset, ulong VirtualAddress, ulong PhysicalAddress, long FileSize, long MemorySize, uint Flags);
