namespace Hypha.Squashfs;

/// <summary>A squashfs could not be written: what was tried and why it failed, in one line.</summary>
public sealed class SquashfsException(string message, Exception? cause = null) : IOException(message, cause);
