using Hypha.Protocol.Guest;

namespace Hypha.Guest.Processes;

/// <summary>docker's names of resource limits, and their numbers (asm-generic/resource.h).</summary>
public static class ResourceLimits
{
    private const uint OpenFiles = 7;

    // The kernel's own limit (fs.nr_open) and what docker on Debian gives.
    private const ulong DefaultOpenFiles = 1048576;

    private static readonly string[] s_names =
    [
        "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile",
        "memlock", "as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
    ];

    public static IEnumerable<StageLimit> Resolve(IEnumerable<ResourceLimit> limits)
    {
        var resolved = new Dictionary<uint, StageLimit>
        {
            [OpenFiles] = new() { Resource = OpenFiles, Soft = DefaultOpenFiles, Hard = DefaultOpenFiles },
        };
        foreach (ResourceLimit limit in limits)
        {
            int number = Array.IndexOf(s_names, limit.Name);
            if (number < 0)
                throw new StartException(StartException.CannotStart, $"there is no resource limit \"{limit.Name}\"; known are {string.Join(", ", s_names)}");
            resolved[(uint)number] = new StageLimit { Resource = (uint)number, Soft = limit.Soft, Hard = limit.Hard };
        }
        return resolved.Values;
    }
}
