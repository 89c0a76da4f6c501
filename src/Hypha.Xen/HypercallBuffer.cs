using Hypha.Linux;

namespace Hypha.Xen;

/// <summary>
/// Memory that Xen reads and writes during a hypercall: whole pages that the kernel keeps in place, mapped from
/// /dev/xen/hypercall. Rented from <see cref="Privcmd.Rent"/>; disposing it gives it back, so that a path that makes the same
/// call again maps nothing and allocates nothing.
/// </summary>
internal sealed class HypercallBuffer(Privcmd owner, MemoryMapping memory, int sizeClass) : IDisposable
{
    private bool _rented;

    internal int SizeClass { get; } = sizeClass;

    internal Span<byte> Span => memory.Span;

    /// <summary>What goes into a hypercall's argument: a pointer in this process, as Xen sees it.</summary>
    internal ulong Address => (ulong)memory.Address;

    internal void Take()
    {
        _rented = true;
    }

    public void Dispose()
    {
        if (!_rented)
            return;
        _rented = false;
        owner.Return(this);
    }

    internal void Unmap() => memory.Dispose();
}
