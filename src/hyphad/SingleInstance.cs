using Hypha.Containers;

namespace Hypha.Daemon;

/// <summary>An exclusively opened file: a second daemon on the same state is refused, a killed one leaves nothing.</summary>
internal static class SingleInstance
{
    public static IDisposable Take(string path)
    {
        try
        {
            // FileShare.None is flock(LOCK_EX) on Linux.
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error)
        {
            throw new ContainerException(ContainerError.FailedPrecondition,
                $"another hyphad works on {Path.GetDirectoryName(path)} ({error.Message}). Stop it first, or give this one another --state.");
        }
    }
}
