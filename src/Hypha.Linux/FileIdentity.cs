using Hypha.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace Hypha.Linux;

/// <summary>
/// What tells that a file is the one seen before, unchanged: two equal identities mean equal content, unless somebody sets the
/// clock back or writes within the file system's time stamp granularity of the look (<see cref="ChangedAt"/> tells).
/// </summary>
/// <remarks>statx(2).</remarks>
public readonly record struct FileIdentity(
    uint DeviceMajor, uint DeviceMinor, ulong Inode, ulong Size, long ModifiedNanoseconds, long ChangedNanoseconds)
{
    /// <summary>When content or inode last changed (st_ctime).</summary>
    public DateTimeOffset ChangedAt => DateTimeOffset.UnixEpoch.AddTicks(ChangedNanoseconds / 100);

    /// <summary>Of an open file, so that what is read from it next is what was looked at.</summary>
    public static unsafe FileIdentity Of(SafeFileHandle file)
    {
        bool added = false;
        try
        {
            file.DangerousAddRef(ref added);
            Libc.statx_t stat;
            if (Libc.statx((int)file.DangerousGetHandle(), "", Libc.AT_EMPTY_PATH, Libc.STATX_BASIC_STATS, &stat) != 0)
                throw LinuxException.FromLastError("looking at an open file");
            return new FileIdentity(
                stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino, stat.stx_size, Nanoseconds(stat.stx_mtime), Nanoseconds(stat.stx_ctime));
        }
        finally
        {
            if (added)
                file.DangerousRelease();
        }
    }

    private static long Nanoseconds(in Libc.statx_timestamp time) => unchecked(time.tv_sec * 1_000_000_000 + time.tv_nsec);
}
