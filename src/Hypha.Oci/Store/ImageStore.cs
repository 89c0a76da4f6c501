namespace Hypha.Oci;

/// <summary>The images of this host, each a squashfs in a directory named by its manifest's digest.</summary>
public sealed class ImageStore
{
    /// <summary>Opens the store and sweeps what an interrupted pull left in it.</summary>
    public ImageStore(string directory, ImageStoreOptions options) => (Directory, Options) = (directory, options);

    public string Directory { get; }
    public ImageStoreOptions Options { get; }

    /// <summary>The image, from here or from its registry. Callers who ask for one image at once share one download.</summary>
    /// <exception cref="ImageException">With a sentence for a person; nothing is kept of the attempt.</exception>
    /// <exception cref="OperationCanceledException">The download goes on only while somebody else waits for it.</exception>
    public Task<StoredImage> GetAsync(
        ImageReference reference, ImagePullOptions options, IProgress<ImageProgress>? progress, CancellationToken cancellation) =>
        throw new NotImplementedException();

    /// <summary>What is here, newest first.</summary>
    public IReadOnlyList<StoredImage> List() => throw new NotImplementedException();
}
