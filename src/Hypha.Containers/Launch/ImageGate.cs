using Hypha.Oci;

namespace Hypha.Containers.Launch;

/// <summary>Images as the engine asks for them: names from people, progress and errors in the engine's own terms.</summary>
internal sealed class ImageGate(ImageStore store)
{
    /// <exception cref="ContainerException">With the image library's sentence.</exception>
    public async Task<StoredImage> GetAsync(string name, bool insecure, PullPolicy policy, Action<LaunchProgress> progress, CancellationToken cancellation)
    {
        try
        {
            var reference = ImageReference.Parse(name);
            var options = new ImagePullOptions { Pull = policy, Insecure = insecure };
            return await store.GetAsync(reference, options, new Relay(progress), cancellation).ConfigureAwait(false);
        }
        catch (ImageException error)
        {
            throw new ContainerException(ContainerError.NotFound, error.Message, error);
        }
    }

    // Progress<T> would post to a thread pool and lose the order.
    private sealed class Relay(Action<LaunchProgress> progress) : IProgress<ImageProgress>
    {
        public void Report(ImageProgress value) =>
            progress(new LaunchProgress(value.Step switch
            {
                ImageStep.Resolving => "resolve",
                ImageStep.ReadingLayers => "download",
                ImageStep.Packing => "pack",
                _ => "image",
            }, value.Detail, value.Done, value.Total));
    }
}
