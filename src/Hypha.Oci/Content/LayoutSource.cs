using Hypha.Oci.Manifests;

namespace Hypha.Oci.Content;

/// <summary>An OCI image layout (image-spec, image-layout.md): index.json and blobs/sha256/HEX, in a directory or in an archive.</summary>
internal sealed class LayoutSource(Func<string, string, Stream> open, string name) : ContentSource
{
    private const string RefName = "org.opencontainers.image.ref.name";

    internal static LayoutSource InDirectory(string directory) =>
        new((path, what) => RegularFile.Open(Path.Combine(directory, path), what), $"oci:{directory}");

    internal static LayoutSource InArchive(ArchiveFile archive) => new(archive.Open, $"oci-archive:{archive.Path}");

    internal async Task<Image> FindAsync(string? tag, ImageLimits limits, CancellationToken cancellation)
    {
        byte[] index;
        using (Stream stream = open("index.json", $"{name} is no OCI image layout"))
            index = await DocumentReader.ReadAsync(stream, limits.DocumentBytes, $"index.json of {name}", cancellation).ConfigureAwait(false);
        ManifestDocument document = DocumentParser.Parse(index, DocumentContext.Default.ManifestDocument, $"index.json of {name}");
        if (document.Manifests is not { } manifests || document.Layers is not null || document.Config is not null)
            throw new ImageException($"index.json of {name} is no index of images");
        Descriptor[] entries = [.. Manifests.Index.Read(document, $"index.json of {name}").Manifests];
        Descriptor chosen = Choose(entries, tag);
        string what = tag is null ? name : $"{name}:{tag}";
        byte[] manifest = await ReadManifestAsync(chosen, $"the manifest of {what}", limits.DocumentBytes, cancellation).ConfigureAwait(false);
        return await ResolveAsync(manifest, chosen.Digest, what, limits, cancellation).ConfigureAwait(false);
    }

    private Descriptor Choose(Descriptor[] entries, string? tag)
    {
        Descriptor[] found = tag is null ? entries
            : [.. entries.Where(e => e.Annotations.TryGetValue(RefName, out string? entryTag) && entryTag == tag)];
        string tags = string.Join(", ", entries.Select(e => e.Annotations.GetValueOrDefault(RefName)).OfType<string>().Take(20));
        return found.Length switch
        {
            1 => found[0],
            0 when tag is not null => throw new ImageException($"{name} has no tag {Printable.Quote(tag)}; it has {Printable.Quote(tags)}"),
            0 => throw new ImageException($"{name} holds no image"),
            _ when tag is not null => throw new ImageException($"{name} has the tag {Printable.Quote(tag)} {found.Length} times"),
            _ => throw new ImageException($"{name} holds {found.Length} images; name one of {Printable.Quote(tags)}: {name}:TAG"),
        };
    }

    internal override Task<Stream> OpenBlobAsync(Descriptor descriptor, string what, CancellationToken cancellation) =>
        Task.FromResult(open($"blobs/sha256/{descriptor.Digest.Hex}", what));

    protected override Task<byte[]> ReadManifestAsync(Descriptor descriptor, string what, int maxBytes, CancellationToken cancellation) =>
        ReadBlobAsync(descriptor, what, maxBytes, cancellation);
}
