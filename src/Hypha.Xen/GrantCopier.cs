using Hypha.Linux;
using Hypha.Xen.Native;

namespace Hypha.Xen;

/// <summary>Many copies between granted pages and memory of this process, made in one call.</summary>
public interface IGrantCopier : IDisposable
{
    /// <summary>This side of all copies.</summary>
    MemoryMapping Memory { get; }

    /// <summary>How many copies are put together, and for how many more there is room.</summary>
    int Count { get; }

    int Room { get; }

    /// <summary>Puts down a copy from a granted page to <see cref="Memory"/>.</summary>
    /// <returns>Its number, for <see cref="Succeeded"/>.</returns>
    int AddRead(GrantRef from, int offset, int to, int length);

    /// <summary>Puts down a copy from <see cref="Memory"/> to a granted page.</summary>
    /// <returns>Its number, for <see cref="Succeeded"/>.</returns>
    int AddWrite(int from, GrantRef to, int offset, int length);

    /// <summary>Makes all copies; a single one may fail.</summary>
    /// <exception cref="XenException">The call itself failed.</exception>
    void Run();

    /// <summary>Whether a copy was made by <see cref="Run"/>.</summary>
    bool Succeeded(int number);

    /// <summary>Forgets all copies.</summary>
    void Clear();
}

/// <summary>
/// Copies between pages that another domain granted and memory of this process, many in one call (/dev/xen/gntdev, GNTTABOP_copy): nothing of
/// either is ever mapped by the other, and a grant that was taken back is just a copy that failed.
/// </summary>
/// <remarks>One user at a time.</remarks>
public sealed class GrantCopier : IGrantCopier
{
    private const string Path = "/dev/xen/gntdev";

    private readonly FileDescriptor _file = Privcmd.OpenDevice(Path);
    private readonly GrantIoctl.CopySegment[] _segments;
    private readonly DomainId _domain;

    /// <param name="segments">How many copies go into one call at most.</param>
    /// <param name="bytes">Of <see cref="Memory"/>.</param>
    public GrantCopier(DomainId domain, int segments, int bytes)
    {
        _domain = domain;
        _segments = GC.AllocateArray<GrantIoctl.CopySegment>(segments, pinned: true);
        try
        {
            Memory = MemoryMapping.Anonymous(bytes);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public MemoryMapping Memory { get; }

    public int Count { get; private set; }

    public int Room => _segments.Length - Count;

    public int AddRead(GrantRef from, int offset, int to, int length)
    {
        Check(offset, to, length);
        return Add(GrantIoctl.CopySegment.Foreign(from.Value, offset, _domain.Value), Local(to), length, GrantIoctl.GNTCOPY_source_gref);
    }

    public int AddWrite(int from, GrantRef to, int offset, int length)
    {
        Check(offset, from, length);
        return Add(Local(from), GrantIoctl.CopySegment.Foreign(to.Value, offset, _domain.Value), length, GrantIoctl.GNTCOPY_dest_gref);
    }

    // unsafe: the kernel reads the request from this frame of the stack, and the segments from an array that is pinned.
    public unsafe void Run()
    {
        if (Count == 0)
            return;
        fixed (GrantIoctl.CopySegment* segments = _segments)
        {
            var request = new GrantIoctl.CopyRequest { count = (uint)Count, segments = (ulong)segments };
            FailureText.Check(_file.TryIoctl(GrantIoctl.GrantCopy, (nint)(&request)), $"copying {Count} grants of {_domain}");
        }
    }

    public bool Succeeded(int number) => _segments[number].status == GrantIoctl.GNTST_okay;

    public void Clear() => Count = 0;

    public void Dispose()
    {
        Memory.Dispose();
        _file.Dispose();
    }

    private int Add(ulong source, ulong destination, int length, ushort flags)
    {
        _segments[Count] = new GrantIoctl.CopySegment { source = source, dest = destination, len = (ushort)length, flags = flags, status = -1 };
        return Count++;
    }

    private ulong Local(int offset) => (ulong)(Memory.Address + offset);

    private void Check(int offset, int local, int length)
    {
        if (length is <= 0 or > Page.Size || (uint)offset > Page.Size - length || (uint)local > (uint)(Memory.Length - length))
            throw new ArgumentOutOfRangeException(nameof(length), $"{length} bytes at {offset} of a page and at {local} of {Memory.Length}");
    }
}
