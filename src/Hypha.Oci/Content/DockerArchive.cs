using Hypha.Oci.Layers;
using Hypha.Oci.Manifests;

namespace Hypha.Oci.Content;

/// <summary>What <c>docker save</c> writes: manifest.json names configurations and layers, which carry no digests of their own.</summary>
internal static class DockerArchive
{
    internal static async Task<Image> FindAsync(ArchiveFile archive, string? reference, ImageLimits limits, CancellationToken cancellation)
    {
        string name = $"docker-archive:{archive.Path}";
        byte[] json = await ReadAsync(archive, "manifest.json", $"{name} is no docker archive", limits, cancellation).ConfigureAwait(false);
        List<ArchivedImageDocument> images = DocumentParser.Parse(json, DocumentContext.Default.ListArchivedImageDocument, $"manifest.json of {name}");
        ArchivedImageDocument chosen = Choose(images, reference, name);

        if (chosen is not { Config: { } configName, Layers: { Count: > 0 } layerNames })
            throw new ImageException($"{name} has no layers, so there is nothing to run");
        if (layerNames.Count > limits.Layers)
            throw new ImageException($"{name} has {layerNames.Count} layers; the limit is {limits.Layers}");
        byte[] configJson = await ReadAsync(archive, configName, $"the configuration of {name}", limits, cancellation).ConfigureAwait(false);
        (ImageConfig config, IReadOnlyList<Sha256Digest> diffIds) = ConfigReader.Read(configJson, $"the configuration of {name}");
        if (diffIds.Count != layerNames.Count)
            throw new ImageException($"{name} has {layerNames.Count} layers, but its configuration speaks of {diffIds.Count}");

        var layers = new List<LayerSource>(layerNames.Count);
        for (int i = 0; i < layerNames.Count; i++)
        {
            string member = layerNames[i], what = $"layer {i + 1} of {layerNames.Count}";
            long size = archive.LengthOf(member) ?? throw new ImageException($"{what}: {name} has no member {Printable.Quote(member)}");
            layers.Add(new LayerSource(i + 1, layerNames.Count, Digest: null, size, diffIds[i], _ => archive.Open(member, what)));
        }
        return new Image(Sha256Digest.Of(configJson), config, layers);
    }

    private static ArchivedImageDocument Choose(List<ArchivedImageDocument> images, string? reference, string name)
    {
        string[] tags = [.. images.SelectMany(i => i?.RepoTags ?? []).Take(20)];
        if (reference is not null)
        {
            return images.FirstOrDefault(i => i?.RepoTags?.Any(t => Same(t, reference)) == true)
                ?? throw new ImageException($"{name} has no image {Printable.Quote(reference)}; it has {Printable.Quote(string.Join(", ", tags))}");
        }
        return images switch
        {
            [{ } only] => only,
            [] => throw new ImageException($"{name} holds no image"),
            _ => throw new ImageException($"{name} holds {images.Count} images; name one of {Printable.Quote(string.Join(", ", tags))}: {name}:REF"),
        };
    }

    // "busybox" and "docker.io/library/busybox:latest" are one name.
    private static bool Same(string tag, string reference) =>
        tag == reference || (ImageReference.TryParse(tag, out ImageReference? a, out _) && ImageReference.TryParse(reference, out ImageReference? b, out _) && a == b);

    private static async Task<byte[]> ReadAsync(ArchiveFile archive, string member, string what, ImageLimits limits, CancellationToken cancellation)
    {
        using Stream stream = archive.Open(member, what);
        return await DocumentReader.ReadAsync(stream, limits.DocumentBytes, what, cancellation).ConfigureAwait(false);
    }
}
