using System.Runtime.InteropServices;
using Hypha.Squashfs.Native;

namespace Hypha.Squashfs;

/// <summary>
/// Owns one of libsquashfs's objects (sqfs_object_t: the first word points to the function that destroys it).
/// The owner disposes users before what they use, as the library asks.
/// </summary>
internal sealed class SqfsObject : SafeHandle
{
    private SqfsObject(nint pointer) : base(0, ownsHandle: true) => SetHandle(pointer);

    public override bool IsInvalid => handle == 0;

    /// <summary>For a call while the owner holds this object.</summary>
    internal nint Pointer => handle;

    /// <exception cref="SquashfsException">The library returned nothing, which it does when memory or threads lack.</exception>
    internal static SqfsObject Own(nint pointer, string what) =>
        pointer != 0 ? new SqfsObject(pointer) : throw new SquashfsException($"creating the {what} of a squashfs: out of memory or threads");

    protected override unsafe bool ReleaseHandle()
    {
        ((sqfs_compressor_t*)handle)->destroy(handle);
        return true;
    }
}
