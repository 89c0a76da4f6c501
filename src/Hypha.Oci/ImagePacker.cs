namespace Hypha.Oci;

/// <summary>Turns an image on disk into a squashfs. Needs no root, no daemon and no Xen.</summary>
public static class ImagePacker
{
    /// <summary>Packs <paramref name="source"/> into <paramref name="outputFile"/>, which appears complete or not at all.</summary>
    /// <returns>What the image says about how to run it, and what was written.</returns>
    /// <exception cref="ImageException">With a sentence for a person; nothing is left behind.</exception>
    /// <exception cref="OperationCanceledException">Nothing is left behind.</exception>
    public static Task<PackedImage> PackAsync(
        ImageSource source, string outputFile, PackOptions options, IProgress<ImageProgress>? progress, CancellationToken cancellation) =>
        throw new NotImplementedException();
}

/// <param name="Digest">Of the manifest.</param>
/// <param name="Config">How to run the image.</param>
/// <param name="Size">Of the squashfs, in bytes.</param>
/// <param name="Warnings">What the squashfs cannot hold and was left out, each said once.</param>
public sealed record PackedImage(Sha256Digest Digest, ImageConfig Config, long Size, IReadOnlyList<string> Warnings);
