namespace Hypha.Oci;

/// <summary>What an image says about how to run it (OCI image-spec, config.md). All of it is a stranger's word.</summary>
public sealed record ImageConfig
{
    public IReadOnlyList<string> Entrypoint { get; init; } = [];
    public IReadOnlyList<string> Cmd { get; init; } = [];

    /// <summary>NAME=VALUE, in the image's order.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];

    /// <summary>Empty means "/".</summary>
    public string WorkingDir { get; init; } = "";

    /// <summary>USER[:GROUP], names or numbers, resolved in the guest; empty means root. A number is below 2^31.</summary>
    public string User { get; init; } = "";

    /// <summary>SIGTERM, 15, or empty.</summary>
    public string StopSignal { get; init; } = "";

    /// <summary>PORT[/PROTOCOL].</summary>
    public IReadOnlyList<string> ExposedPorts { get; init; } = [];

    public IReadOnlyList<string> Volumes { get; init; } = [];

    /// <summary>For display alone: no label configures the host.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public string Architecture { get; init; } = "";
    public string Os { get; init; } = "";
}
