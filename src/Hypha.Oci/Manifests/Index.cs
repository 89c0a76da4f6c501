namespace Hypha.Oci.Manifests;

/// <summary>Images for several platforms (OCI image-spec, image-index.md; Docker's manifest list).</summary>
internal sealed record Index(IReadOnlyList<Descriptor> Manifests)
{
    private const int MaxManifests = 1024;

    internal static Index Read(ManifestDocument document, string what)
    {
        List<DescriptorDocument> manifests = document.Manifests!;
        if (manifests.Count > MaxManifests)
            throw new ImageException($"{what} lists {manifests.Count} images; the limit is {MaxManifests}");
        return new Index([.. manifests.Select(m => Descriptor.Read(m, $"an image that {what} lists"))]);
    }

    /// <summary>The image for linux/amd64, or the only one when no platform is given.</summary>
    internal Descriptor Choose(string what)
    {
        Descriptor[] images = [.. Manifests.Where(m => IsImage(m) && !IsAttestation(m))];
        Descriptor? chosen = images.Where(m => m.Platform is { Os: "linux", Architecture: "amd64" })
            .OrderBy(m => m.Platform!.Variant switch { null or "" => 0, "v1" => 1, "v2" => 2, _ => 3 })
            .FirstOrDefault();
        chosen ??= images.Length == 1 && images[0].Platform is null ? images[0] : null;
        if (chosen is not null)
            return chosen;
        string[] others = [.. images.Where(m => m.Platform is not null).Select(m => $"{m.Platform!.Os}/{m.Platform.Architecture}").Distinct().Take(10)];
        throw new ImageException(others.Length == 0
            ? $"{what} has no image for linux/amd64"
            : $"{what} has no image for linux/amd64, only for {Printable.Quote(string.Join(", ", others))}");
    }

    private static bool IsImage(Descriptor descriptor) => MediaTypes.IsManifest(descriptor.MediaType) || MediaTypes.IsIndex(descriptor.MediaType);

    // buildkit's provenance and SBOM, listed as an image for the platform unknown/unknown.
    private static bool IsAttestation(Descriptor descriptor) =>
        descriptor.Annotations.ContainsKey("vnd.docker.reference.type") || descriptor.Platform is { Os: "unknown" };
}
