using Hypha.Linux.Native;

namespace Hypha.Linux;

/// <summary>This process's effective user, and the mask of the modes of files it makes.</summary>
public static class ProcessIdentity
{
    public static uint UserId => Libc.geteuid();

    /// <summary>Sets umask(2), which is the whole process's.</summary>
    /// <returns>The mask before.</returns>
    public static int SetUmask(int mask) => Libc.umask(mask);
}
