using System.Runtime.InteropServices;

namespace Hypha.Xen.Native;

/// <summary>Requests of /dev/xen/gntdev and /dev/xen/gntalloc, linux/include/uapi/xen/gntdev.h and gntalloc.h.</summary>
internal static class GrantIoctl
{
    internal static readonly nuint MapGrantRef = Ioc.None('G', 0, 24);
    internal static readonly nuint AllocGref = Ioc.None('G', 5, 24);

    /// <summary>IOCTL_GNTDEV_SET_UNMAP_NOTIFY and IOCTL_GNTALLOC_SET_UNMAP_NOTIFY are one number.</summary>
    internal static readonly nuint SetUnmapNotify = Ioc.None('G', 7, 16);

    internal static readonly nuint GrantCopy = Ioc.None('G', 8, 16);

    internal const ushort GNTCOPY_source_gref = 1;
    internal const ushort GNTCOPY_dest_gref = 2;
    internal const short GNTST_okay = 0;
    internal const uint UNMAP_NOTIFY_CLEAR_BYTE = 1;
    internal const uint UNMAP_NOTIFY_SEND_EVENT = 2;
    internal const ushort GNTALLOC_FLAG_WRITABLE = 1;

    /// <summary>struct ioctl_gntdev_map_grant_ref, without its array: <see cref="GrantRefEntry"/> follows, one a grant.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct MapHeader
    {
        internal uint count;
        internal uint pad;
        internal ulong index;
    }

    /// <summary>struct ioctl_gntdev_grant_ref</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct GrantRefEntry
    {
        internal uint domid;
        internal uint @ref;
    }

    /// <summary>struct ioctl_gntalloc_alloc_gref, without its array: 32-bit grant references follow.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct AllocHeader
    {
        internal ushort domid;
        internal ushort flags;
        internal uint count;
        internal ulong index;
    }

    /// <summary>struct ioctl_gntdev_unmap_notify, struct ioctl_gntalloc_unmap_notify</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct UnmapNotify
    {
        internal ulong index;
        internal uint action;
        internal uint event_channel_port;
    }

    /// <summary>struct ioctl_gntdev_grant_copy</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct CopyRequest
    {
        internal uint count;
        internal ulong segments;
    }

    /// <summary>struct gntdev_grant_copy_segment. Each end is an address of this process, or a grant.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct CopySegment
    {
        internal ulong source;
        internal ulong dest;
        internal ushort len;
        internal ushort flags;
        internal short status;

        /// <summary>The union's foreign part: ref, offset in the page, domid.</summary>
        internal static ulong Foreign(uint @ref, int offset, ushort domid) => @ref | (ulong)(ushort)offset << 32 | (ulong)domid << 48;
    }
}
