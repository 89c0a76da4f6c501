namespace Hypha.Oci;

/// <summary>An image on disk: <c>oci:DIR[:TAG]</c>, <c>oci-archive:FILE[:TAG]</c> or <c>docker-archive:FILE[:REF]</c>.</summary>
/// <param name="Kind">The form before the first colon.</param>
/// <param name="Path">Of the directory or file.</param>
/// <param name="Name">Tag or reference within it; null when the only image is meant.</param>
public sealed record ImageSource(ImageSourceKind Kind, string Path, string? Name)
{
    /// <exception cref="ImageException">Says which forms there are.</exception>
    public static ImageSource Parse(string text)
    {
        foreach ((string prefix, ImageSourceKind kind) in Kinds)
        {
            if (!text.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            string rest = text[prefix.Length..];
            // A file of that very name wins, so that a path with a colon can be given.
            int colon = System.IO.Path.Exists(rest) ? -1 : rest.IndexOf(':', StringComparison.Ordinal);
            (string path, string? name) = colon < 0 ? (rest, null) : (rest[..colon], rest[(colon + 1)..]);
            if (path.Length == 0 || name is "")
                break;
            return new ImageSource(kind, path, name);
        }
        throw new ImageException($"{Printable.Quote(text)} is not an image on disk; the forms are oci:DIR[:TAG], oci-archive:FILE[:TAG] and docker-archive:FILE[:REF]");
    }

    public override string ToString() => $"{Kinds.First(k => k.Kind == Kind).Prefix}{Path}{(Name is null ? "" : $":{Name}")}";

    private static readonly (string Prefix, ImageSourceKind Kind)[] Kinds =
    [
        ("oci:", ImageSourceKind.OciLayout),
        ("oci-archive:", ImageSourceKind.OciArchive),
        ("docker-archive:", ImageSourceKind.DockerArchive),
    ];
}

public enum ImageSourceKind
{
    OciLayout,
    OciArchive,
    DockerArchive,
}
