namespace Hypha.Oci;

/// <summary>How a store fetches and packs.</summary>
public sealed record ImageStoreOptions
{
    public static ImageStoreOptions Default { get; } = new();

    public PackOptions Pack { get; init; } = PackOptions.Default;

    /// <summary>HOST[:PORT] of registries that are spoken to in plain HTTP. Those on loopback are anyway.</summary>
    public IReadOnlyList<string> InsecureRegistries { get; init; } = [];

    /// <summary>Layers downloaded at the same time.</summary>
    public int ParallelLayers { get; init; } = 4;

    /// <summary>A registry that takes longer to connect or to answer is given up.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A download that brings fewer than 64 KiB in this time of waiting is given up.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);
}
