namespace Hypha.Guest.Start;

/// <summary>What the kernel of a guest does otherwise than that of a machine: it sleeps while its container does.</summary>
public static class KernelSettings
{
    // Documentation/admin-guide/sysctl/vm.rst. Together they woke an idle guest three times a second.
    private static readonly (string Path, string Value)[] s_settings =
    [
        ("/proc/sys/vm/compaction_proactiveness", "0"), // kcompactd looks twice a second whether memory is in pieces
        ("/proc/sys/vm/stat_interval", "30"), // seconds between two counts of free pages
    ];

    public static void Apply(InitConsole console)
    {
        foreach (var (path, value) in s_settings)
        {
            try
            {
                File.WriteAllText(path, value);
            }
            catch (IOException e)
            {
                console.Debug($"{path} stays as it is: {e.Message}");
            }
        }
    }
}
