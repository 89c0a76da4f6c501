namespace Hypha.Xen.Probe;

/// <summary>One thing that must be so on a real hypervisor, named as a sentence.</summary>
internal sealed record Check(string Name, Func<Task> Run)
{
    internal static IEnumerable<Check> All => [.. HypervisorChecks.All, .. SharingChecks.All, .. VchanChecks.All];

    internal static Check Of(string name, Action run) => new(name, () =>
    {
        run();
        return Task.CompletedTask;
    });

    internal static void That(bool condition, string what)
    {
        if (!condition)
            throw new InvalidOperationException($"not so: {what}");
    }

    internal static void Equal<T>(T expected, T actual, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
            throw new InvalidOperationException($"{what}: expected {expected}, saw {actual}");
    }
}
