namespace Hypha.Oci.Layers;

/// <summary>One layer of an image, not yet opened.</summary>
/// <param name="Number">From 1, the lowest.</param>
/// <param name="Count">Of the image's layers.</param>
/// <param name="Digest">Of the layer as it is stored; null where the container has none (docker's archives).</param>
/// <param name="Size">In bytes as stored.</param>
/// <param name="DiffId">Digest of the decompressed archive, from the image's configuration.</param>
/// <param name="Open">Begins to read it.</param>
internal sealed record LayerSource(
    int Number, int Count, Sha256Digest? Digest, long Size, Sha256Digest DiffId, Func<CancellationToken, Stream> Open)
{
    /// <summary>How errors name it.</summary>
    internal string Name => $"layer {Number} of {Count}";
}
