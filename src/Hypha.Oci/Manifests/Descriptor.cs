namespace Hypha.Oci.Manifests;

/// <summary>What a document says about another piece of content (OCI image-spec, descriptor.md).</summary>
internal sealed record Descriptor(string MediaType, Sha256Digest Digest, long Size, PlatformDocument? Platform, IReadOnlyDictionary<string, string> Annotations)
{
    /// <exception cref="ImageException"><paramref name="what"/> says whose descriptor is malformed.</exception>
    internal static Descriptor Read(DescriptorDocument? document, string what)
    {
        if (document is null)
            throw new ImageException($"{what} is missing");
        Sha256Digest digest = Sha256Digest.Parse(document.Digest, what);
        if (document.Size is not (>= 0 and { } size))
            throw new ImageException($"{what} has no size or a negative one");
        return new Descriptor(document.MediaType ?? "", digest, size, document.Platform, document.Annotations ?? []);
    }
}
