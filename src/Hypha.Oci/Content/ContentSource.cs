using Hypha.Oci.Layers;
using Hypha.Oci.Manifests;

namespace Hypha.Oci.Content;

/// <summary>Where an image's pieces lie under their digests: a registry's repository, a layout in a directory or in an archive.</summary>
internal abstract class ContentSource
{
    private const int MaxNesting = 4; // of indexes

    /// <summary>Opens a blob; whoever reads verifies.</summary>
    internal abstract Task<Stream> OpenBlobAsync(Descriptor descriptor, string what, CancellationToken cancellation);

    /// <summary>A manifest or index, verified.</summary>
    protected abstract Task<byte[]> ReadManifestAsync(Descriptor descriptor, string what, int maxBytes, CancellationToken cancellation);

    /// <summary>From whatever the name meant to the image for this platform, all documents read and checked.</summary>
    internal async Task<Image> ResolveAsync(byte[] document, Sha256Digest digest, string name, ImageLimits limits, CancellationToken cancellation)
    {
        var seen = new HashSet<Sha256Digest>();
        for (int level = 0; ; level++)
        {
            string what = level == 0 ? name : $"{name} ({digest})";
            ManifestDocument manifest = DocumentParser.Parse(document, DocumentContext.Default.ManifestDocument, $"the manifest of {what}");
            switch (Classify(manifest, what))
            {
                case Kind.Manifest:
                    return await ReadImageAsync(Manifest.Read(manifest, limits, what), digest, what, limits, cancellation).ConfigureAwait(false);
                default:
                    if (level >= MaxNesting || !seen.Add(digest))
                        throw new ImageException($"{what} is an index of indexes without end");
                    Descriptor chosen = Manifests.Index.Read(manifest, what).Choose(what);
                    document = await ReadManifestAsync(chosen, $"the manifest of {name} for linux/amd64", limits.DocumentBytes, cancellation).ConfigureAwait(false);
                    digest = chosen.Digest;
                    break;
            }
        }
    }

    /// <summary>Reads a blob that is a small document and verifies it.</summary>
    protected async Task<byte[]> ReadBlobAsync(Descriptor descriptor, string what, int maxBytes, CancellationToken cancellation)
    {
        if (descriptor.Size > maxBytes)
            throw new ImageException($"{what} has {descriptor.Size} bytes; the limit is {maxBytes}");
        using Stream stream = await OpenBlobAsync(descriptor, what, cancellation).ConfigureAwait(false);
        byte[] document = await DocumentReader.ReadAsync(stream, maxBytes, what, cancellation).ConfigureAwait(false);
        Verify(document, descriptor, what);
        return document;
    }

    protected static void Verify(byte[] document, Descriptor descriptor, string what)
    {
        if (document.Length != descriptor.Size)
            throw new ImageException($"{what} has {document.Length} bytes, but {descriptor.Size} were announced");
        if (Sha256Digest.Of(document) is var actual && actual != descriptor.Digest)
            throw new ImageException($"{what} has the digest {actual}, but {descriptor.Digest} was asked for: it was changed or damaged on the way");
    }

    private enum Kind { Manifest, Index }

    private static Kind Classify(ManifestDocument document, string what)
    {
        bool isManifest = document.Layers is not null || document.Config is not null;
        bool isIndex = document.Manifests is not null;
        if (isManifest && isIndex)
            throw new ImageException($"{what} claims to be an image and an index at once; it is refused (CVE-2021-41190)");
        if (document.FsLayers is not null || document.SchemaVersion == 1)
            throw new ImageException($"{what} is in Docker's old format (schema 1); pull and push it once with a current tool");
        if (document.SchemaVersion != 2)
            throw new ImageException($"the manifest of {what} has no schemaVersion 2");
        bool typeFits = document.MediaType is null || (isIndex ? MediaTypes.IsIndex(document.MediaType) : MediaTypes.IsManifest(document.MediaType));
        if (isManifest == isIndex || !typeFits)
            throw new ImageException($"{what} is no container image: its manifest is of type {Printable.Quote(document.MediaType ?? "")}");
        return isIndex ? Kind.Index : Kind.Manifest;
    }

    private async Task<Image> ReadImageAsync(Manifest manifest, Sha256Digest digest, string name, ImageLimits limits, CancellationToken cancellation)
    {
        byte[] json = await ReadBlobAsync(manifest.Config, $"the configuration of {name}", limits.DocumentBytes, cancellation).ConfigureAwait(false);
        (ImageConfig config, IReadOnlyList<Sha256Digest> diffIds) = ConfigReader.Read(json, $"the configuration of {name}");
        int count = manifest.Layers.Count;
        if (diffIds.Count != count)
            throw new ImageException($"{name} has {count} layers, but its configuration speaks of {diffIds.Count}");
        var layers = new List<LayerSource>(count);
        for (int i = 0; i < count; i++)
        {
            Descriptor layer = manifest.Layers[i];
            string what = $"layer {i + 1} of {count}";
            layers.Add(new LayerSource(i + 1, count, layer.Digest, layer.Size, diffIds[i],
                ct => OpenBlobAsync(layer, what, ct).GetAwaiter().GetResult())); // on the layer's own thread
        }
        return new Image(digest, config, layers);
    }
}
