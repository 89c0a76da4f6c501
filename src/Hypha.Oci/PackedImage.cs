namespace Hypha.Oci;

/// <param name="Digest">Of the manifest; of the configuration where there is none (docker's archives).</param>
/// <param name="Config">How to run the image.</param>
/// <param name="Size">Of the squashfs, in bytes.</param>
/// <param name="Warnings">What the squashfs cannot hold and was left out, each said once.</param>
public sealed record PackedImage(Sha256Digest Digest, ImageConfig Config, long Size, IReadOnlyList<string> Warnings);
