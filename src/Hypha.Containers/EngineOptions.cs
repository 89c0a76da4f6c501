namespace Hypha.Containers;

/// <summary>Where the engine keeps its state, and what it uses when a launch names nothing else.</summary>
public sealed record EngineOptions
{
    public string StateDirectory { get; init; } = Host.HostProbe.DefaultState;

    public Devices.NetworkBackEnd NetworkBackEnd { get; init; } = Devices.NetworkBackEnd.Direct;

    public Life.SupervisorOptions Supervisor { get; init; } = new();

    public string ContainersDirectory => Path.Combine(StateDirectory, "containers");
    public string NetworksDirectory => Path.Combine(StateDirectory, "networks");
    public string ImagesDirectory => Path.Combine(StateDirectory, "images");
    public string KernelsDirectory => Path.Combine(StateDirectory, "kernels");
    public string DefaultKernel => Path.Combine(StateDirectory, "default", "kernel");
    public string DefaultInitrd => Path.Combine(StateDirectory, "default", "initrd");
}
