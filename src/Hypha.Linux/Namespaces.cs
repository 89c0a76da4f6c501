using Hypha.Linux.Native;

namespace Hypha.Linux;

public static class Namespaces
{
    /// <summary>Moves the calling thread (for pids: its children to come) into new namespaces. Only a thread that does nothing else should.</summary>
    public static void Unshare(NamespaceKinds kinds)
    {
        if (Libc.unshare((int)kinds) < 0)
            throw LinuxException.FromLastError($"making new namespaces ({kinds})");
    }
}

/// <summary>CLONE_* flags of unshare(2), linux/sched.h.</summary>
[Flags]
public enum NamespaceKinds
{
    FileSystemAttributes = 0x200,
    Mount = 0x20000,
    ControlGroup = 0x2000000,
    Ipc = 0x8000000,
    Pid = 0x20000000,
    Network = 0x40000000,
}
