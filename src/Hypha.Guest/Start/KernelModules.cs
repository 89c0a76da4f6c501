using Hypha.Linux;

namespace Hypha.Guest.Start;

/// <summary>Loads what a modular kernel needs before it can be a container: the initrd's list, in its order.</summary>
public static class KernelModules
{
    private const string Directory = "/lib/modules";

    /// <summary>Without a list everything is built in. A module that does not load may not be needed: what is missed shows later, by name.</summary>
    public static void Load(InitConsole console)
    {
        string list = $"{Directory}/hypha.order";
        if (!File.Exists(list))
            return;
        foreach (string name in File.ReadAllLines(list))
        {
            string path = $"{Directory}/{name}";
            try
            {
                Errno error;
                using (FileDescriptor file = FileDescriptor.Open(path, OpenFlags.ReadOnly))
                    error = Machine.LoadModule(file);
                if (error is not (Errno.None or Errno.EEXIST))
                    console.Debug($"module {name}: {error.Text()} ({error})");
                // The initrd's files are memory.
                FileNode.Remove(path);
            }
            catch (LinuxException e)
            {
                console.Debug($"module {name}: {e.Message}");
            }
        }
    }
}
