using System.Runtime.InteropServices;

namespace Hypha.Linux.Native;

internal static partial class Libc
{
    // <linux/stat.h>, <fcntl.h>
    internal const int AT_EMPTY_PATH = 0x1000;
    internal const uint STATX_BASIC_STATS = 0x7ff;

    [StructLayout(LayoutKind.Sequential)]
    internal struct statx_timestamp
    {
        public long tv_sec;
        public uint tv_nsec;
        private readonly int _reserved;
    }

    [StructLayout(LayoutKind.Sequential, Size = 256)]
    internal struct statx_t
    {
        public uint stx_mask, stx_blksize;
        public ulong stx_attributes;
        public uint stx_nlink, stx_uid, stx_gid;
        public ushort stx_mode;
        private readonly ushort _spare0;
        public ulong stx_ino, stx_size, stx_blocks, stx_attributes_mask;
        public statx_timestamp stx_atime, stx_btime, stx_ctime, stx_mtime;
        public uint stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
    }

    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int statx(int dirfd, string path, int flags, uint mask, statx_t* buffer);
}
