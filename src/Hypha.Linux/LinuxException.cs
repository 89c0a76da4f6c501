using System.Runtime.InteropServices;

namespace Hypha.Linux;

/// <summary>A system call failed. The message says what was tried, on what, and why it failed, in one line.</summary>
public sealed class LinuxException(string what, Errno error)
    : IOException($"{what}: {error.Text()} ({error})")
{
    public Errno Error { get; } = error;

    /// <summary>The last call's error, for the operation <paramref name="what"/>.</summary>
    public static LinuxException FromLastError(string what) => new(what, (Errno)Marshal.GetLastPInvokeError());
}
