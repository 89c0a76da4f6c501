using Hypha.Linux.Native;
using System.Runtime.InteropServices;

namespace Hypha.Linux;

/// <summary>Memory mapped from a device or file; unmapped when disposed or finalized.</summary>
/// <remarks>
/// The span and the pointer are valid until then. Other processes, other domains or the kernel may change the bytes at
/// any time: read what decides something once, into a variable.
/// </remarks>
public sealed class MemoryMapping : SafeHandle
{
    private MemoryMapping(nint address, int length) : base(Libc.MAP_FAILED, ownsHandle: true)
    {
        SetHandle(address);
        Length = length;
    }

    public override bool IsInvalid => handle == Libc.MAP_FAILED || handle == 0;

    public int Length { get; }

    public nint Address => !IsClosed ? handle : throw new ObjectDisposedException(nameof(MemoryMapping));

    /// <summary>All of the mapping.</summary>
    // unsafe: a span over memory that the garbage collector does not own; this object must outlive it.
    public unsafe Span<byte> Span => new((void*)Address, Length);

    /// <summary>Maps <paramref name="length"/> bytes of a device or file, shared, from <paramref name="offset"/>, whose meaning is the device's.</summary>
    /// <exception cref="LinuxException"><paramref name="what"/> is its subject: "mapping 3 pages of domain 7".</exception>
    public static MemoryMapping Shared(FileDescriptor file, long offset, int length, MemoryAccess access, string what)
    {
        bool added = false;
        try
        {
            file.DangerousAddRef(ref added);
            nint address = Libc.mmap(0, (nuint)length, Protection(access), Libc.MAP_SHARED, file.Number, offset);
            return address != Libc.MAP_FAILED ? new MemoryMapping(address, length) : throw LinuxException.FromLastError(what);
        }
        finally
        {
            if (added)
                file.DangerousRelease();
        }
    }

    /// <summary>Zeroed memory of this process alone, aligned to pages.</summary>
    public static MemoryMapping Anonymous(int length)
    {
        nint address = Libc.mmap(0, (nuint)length, Protection(MemoryAccess.ReadWrite), Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
        return address != Libc.MAP_FAILED ? new MemoryMapping(address, length)
            : throw LinuxException.FromLastError($"allocating {length} bytes of memory");
    }

    private static int Protection(MemoryAccess access) =>
        access == MemoryAccess.ReadWrite ? Libc.PROT_READ | Libc.PROT_WRITE : Libc.PROT_READ;

    protected override bool ReleaseHandle() => Libc.munmap(handle, (nuint)Length) == 0;
}

public enum MemoryAccess
{
    Read,
    ReadWrite,
}
