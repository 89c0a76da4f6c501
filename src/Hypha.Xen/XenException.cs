using Hypha.Linux;
using System.Runtime.InteropServices;

namespace Hypha.Xen;

/// <summary>Xen, or a Xen device of the kernel, refused. The message says what was tried, on what, and why it failed.</summary>
public sealed class XenException : IOException
{
    public XenException(string what, Errno error) : base($"{what}: {error.Text()} ({error})") => Error = error;

    /// <summary>Something other than an error number is wrong: <paramref name="sentence"/> says all.</summary>
    public XenException(string sentence) : base(sentence)
    {
    }

    public Errno Error { get; }

    /// <summary>The last call's error, for the operation <paramref name="what"/>.</summary>
    internal static XenException FromLastError(string what) => new(what, (Errno)Marshal.GetLastPInvokeError());
}
