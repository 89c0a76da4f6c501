using System.Runtime.InteropServices;

namespace Hypha.Xen.Native;

/// <summary>Requests of /dev/xen/privcmd, linux/include/uapi/xen/privcmd.h.</summary>
internal static class PrivcmdIoctl
{
    internal static readonly nuint Hypercall = Ioc.None('P', 0, 48);
    internal static readonly nuint MmapBatchV2 = Ioc.None('P', 4, 32);
    internal static readonly nuint MmapResource = Ioc.None('P', 7, 32);

    /// <summary>struct privcmd_hypercall</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct HypercallArguments
    {
        internal ulong op;
        internal ulong arg0, arg1, arg2, arg3, arg4;
    }

    /// <summary>struct privcmd_mmapbatch_v2</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct MmapBatchArguments
    {
        internal uint num;
        internal ushort dom;
        internal ulong addr;
        internal nint arr;
        internal nint err;
    }

    /// <summary>struct privcmd_mmap_resource</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct MmapResourceArguments
    {
        internal ushort dom;
        internal uint type;
        internal uint id;
        internal uint idx;
        internal ulong num;
        internal ulong addr;
    }
}

/// <summary>How ioctl requests are numbered, asm-generic/ioctl.h.</summary>
internal static class Ioc
{
    /// <summary>_IOC(_IOC_NONE, type, number, size): Xen's devices declare no direction.</summary>
    internal static nuint None(char type, int number, int size) => (nuint)((size << 16) | (type << 8) | number);
}
