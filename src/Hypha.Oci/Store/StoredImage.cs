namespace Hypha.Oci;

/// <summary>An image in the store, ready to be a guest's disk.</summary>
/// <param name="Digest">Of the manifest for this platform.</param>
/// <param name="SquashfsPath">Of the file, a multiple of 4 KiB long.</param>
/// <param name="Config">How to run it.</param>
/// <param name="References">The names that lead to it here.</param>
/// <param name="Size">Of the squashfs, in bytes.</param>
/// <param name="Created">When it was packed here.</param>
public sealed record StoredImage(
    Sha256Digest Digest, string SquashfsPath, ImageConfig Config, IReadOnlyList<string> References, long Size, DateTimeOffset Created);
