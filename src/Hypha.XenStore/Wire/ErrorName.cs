using System.Text;
using Hypha.Linux;

namespace Hypha.XenStore.Wire;

/// <summary>Errors travel by name (public/io/xs_wire.h, xsd_errors).</summary>
public static class ErrorName
{
    private static readonly Errno[] s_known =
    [
        Errno.EINVAL, Errno.EACCES, Errno.EEXIST, Errno.EISDIR, Errno.ENOENT, Errno.ENOMEM, Errno.ENOSPC, Errno.EIO, Errno.ENOTEMPTY,
        Errno.ENOSYS, Errno.EROFS, Errno.EBUSY, Errno.EAGAIN, Errno.EISCONN, Errno.E2BIG, Errno.EPERM,
    ];

    /// <summary>The error of an ERROR message's payload. A name that is not in the list is an invalid argument, as Xen's own client takes it.</summary>
    public static Errno Parse(ReadOnlySpan<byte> payload)
    {
        int end = payload.IndexOf((byte)0);
        ReadOnlySpan<byte> name = end < 0 ? payload : payload[..end];
        foreach (Errno error in s_known)
        {
            if (name.SequenceEqual(Encoding.ASCII.GetBytes(error.ToString())))
                return error;
        }
        return Errno.EINVAL;
    }

    /// <summary>The name as it is sent, with its NUL.</summary>
    public static byte[] Format(Errno error) =>
        Encoding.ASCII.GetBytes((Array.IndexOf(s_known, error) >= 0 ? error : Errno.EINVAL) + "\0");
}
