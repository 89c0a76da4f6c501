namespace Hypha.Oci;

/// <summary>How one image is got.</summary>
public sealed record ImagePullOptions
{
    public static ImagePullOptions Default { get; } = new();

    public PullPolicy Pull { get; init; } = PullPolicy.Missing;

    /// <summary>The registry is spoken to in plain HTTP, as if it stood in <see cref="ImageStoreOptions.InsecureRegistries"/>.</summary>
    public bool Insecure { get; init; }
}

/// <summary>docker run's <c>--pull</c>.</summary>
public enum PullPolicy
{
    /// <summary>A name that is known here is used without asking anybody.</summary>
    Missing,

    /// <summary>The registry is asked what the tag means today; the content is downloaded only when it is not here.</summary>
    Always,

    /// <summary>The network is not used.</summary>
    Never,
}
