using Hypha.Linux;
using Hypha.Xen.Native;
using System.Buffers;
using System.Runtime.InteropServices;

namespace Hypha.Xen;

/// <summary>Pages of another domain, mapped into this process in the order asked for; unmapped when disposed.</summary>
/// <remarks>
/// IOCTL_PRIVCMD_MMAPBATCH_V2, linux/include/uapi/xen/privcmd.h. A running guest can change the bytes at any time: copy first, then
/// check the copy. While a page is mapped, Xen does not free it, though its domain may be long dead.
/// </remarks>
public sealed class ForeignMemory : IDisposable
{
    private readonly MemoryMapping _memory;

    private ForeignMemory(MemoryMapping memory, DomainId domain)
    {
        _memory = memory;
        Domain = domain;
    }

    public DomainId Domain { get; }

    public int Pages => _memory.Length >> Page.Shift;

    /// <summary>All pages, contiguous. Valid until this object is disposed.</summary>
    public Span<byte> Span => _memory.Span;

    public Span<byte> this[int page] => Span.Slice(page << Page.Shift, Page.Size);

    /// <summary>For the rings that lie in the pages; it must not be disposed by others.</summary>
    public MemoryMapping Memory => _memory;

    /// <summary>Maps pages of a PV guest, at most 524,287 (a span's 2 GiB), in any order.</summary>
    /// <exception cref="XenException">Names the first page that could not be mapped; nothing is mapped then.</exception>
    public static ForeignMemory Map(Hypervisor xen, DomainId domain, ReadOnlySpan<Mfn> frames, MemoryAccess access = MemoryAccess.ReadWrite) =>
        Map(xen.Privcmd, domain, MemoryMarshal.Cast<Mfn, ulong>(frames), access);

    /// <summary>Maps pages of an HVM or PVH guest, which Xen knows by the guest's own numbers.</summary>
    public static ForeignMemory Map(Hypervisor xen, DomainId domain, ReadOnlySpan<Pfn> frames, MemoryAccess access = MemoryAccess.ReadWrite) =>
        Map(xen.Privcmd, domain, MemoryMarshal.Cast<Pfn, ulong>(frames), access);

    private static ForeignMemory Map(Privcmd privcmd, DomainId domain, ReadOnlySpan<ulong> frames, MemoryAccess access)
    {
        ArgumentOutOfRangeException.ThrowIfZero(frames.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frames.Length, int.MaxValue >> Page.Shift);
        MemoryMapping memory = Reserve(privcmd, frames.Length, access, $"mapping {frames.Length} pages of {domain}");
        int[] errors = ArrayPool<int>.Shared.Rent(frames.Length);
        try
        {
            MapInto(privcmd, memory, domain, frames, errors);
            return new ForeignMemory(memory, domain);
        }
        catch
        {
            memory.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<int>.Shared.Return(errors);
        }
    }

    // unsafe: the kernel reads the frames from, and writes each one's error to, arrays that stay in place for the call.
    private static unsafe void MapInto(Privcmd privcmd, MemoryMapping memory, DomainId domain, ReadOnlySpan<ulong> frames, int[] errors)
    {
        int result;
        fixed (ulong* frame = frames)
        fixed (int* error = errors)
        {
            var request = new PrivcmdIoctl.MmapBatchArguments
            {
                num = (uint)frames.Length,
                dom = domain.Value,
                addr = (ulong)memory.Address,
                arr = (nint)frame,
                err = (nint)error,
            };
            result = privcmd.File.TryIoctl(PrivcmdIoctl.MmapBatchV2, (nint)(&request));
        }

        // ENOENT says that some page is paged out; which one, and whatever else is wrong with a page, is in its own error.
        if (result < 0 && Marshal.GetLastPInvokeError() != (int)Errno.ENOENT)
            throw XenException.FromLastError($"mapping {frames.Length} pages of {domain} from 0x{frames[0]:x}");
        int failed = errors.AsSpan(0, frames.Length).IndexOfAnyExcept(0);
        if (failed >= 0)
            throw new XenException($"mapping page {failed} of {frames.Length} of {domain}, frame 0x{frames[failed]:x}", (Errno)(-errors[failed]));
    }

    /// <summary>Address space in which the kernel may map pages.</summary>
    internal static MemoryMapping Reserve(Privcmd privcmd, int pages, MemoryAccess access, string what)
    {
        try
        {
            return MemoryMapping.Shared(privcmd.File, 0, pages << Page.Shift, access, what);
        }
        catch (LinuxException e)
        {
            throw new XenException(what, e.Error);
        }
    }

    public void Dispose() => _memory.Dispose();
}
