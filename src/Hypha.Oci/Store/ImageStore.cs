using System.Text.Json;
using Hypha.Linux;
using Hypha.Oci.Content;
using Hypha.Oci.Layers;
using Hypha.Oci.Registry;
using Hypha.Oci.Store;

namespace Hypha.Oci;

/// <summary>The images of this host, each a squashfs in a directory named by its manifest's digest.</summary>
public sealed class ImageStore
{
    private const string Squashfs = "image.squashfs";
    private const string Description = "image.json";
    private const string TemporaryPrefix = ".tmp-";

    private readonly ReferenceFile _references;
    private readonly Dictionary<string, PullJob> _jobs = [];
    private readonly Dictionary<Sha256Digest, (SemaphoreSlim Lock, int Users)> _packing = [];

    /// <summary>Opens the store and sweeps what an interrupted pull left in it. One process at a time may do so.</summary>
    /// <exception cref="ImageException">The directory cannot be made or written.</exception>
    public ImageStore(string directory, ImageStoreOptions options)
    {
        (Directory, Options) = (Path.GetFullPath(directory), options);
        _references = new ReferenceFile(Directory);
        try
        {
            System.IO.Directory.CreateDirectory(Directory);
            foreach (string leftover in System.IO.Directory.EnumerateDirectories(Directory, TemporaryPrefix + "*"))
                System.IO.Directory.Delete(leftover, recursive: true);
            foreach (string leftover in System.IO.Directory.EnumerateFiles(Directory, "*.tmp"))
                File.Delete(leftover);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException($"cannot use {Directory} for images: {e.Message}", e);
        }
    }

    public string Directory { get; }
    public ImageStoreOptions Options { get; }

    /// <summary>The image, from here or from its registry. Callers who ask for one image at once share one download.</summary>
    /// <exception cref="ImageException">With a sentence for a person; nothing is kept of the attempt.</exception>
    /// <exception cref="OperationCanceledException">The download goes on only while somebody else waits for it.</exception>
    public async Task<StoredImage> GetAsync(
        ImageReference reference, ImagePullOptions options, IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        if (options.Pull != PullPolicy.Always && Find(reference) is { } known)
            return known;
        if (options.Pull == PullPolicy.Never)
            throw new ImageException($"{reference} is not on this host, and it was asked not to pull it");

        PullJob job;
        string key = $"{options.Pull} {options.Insecure} {reference}";
        lock (_jobs)
        {
            if (!_jobs.TryGetValue(key, out job!))
                _jobs[key] = job = PullJob.Start((listener, stop) => PullAsync(reference, options.Insecure, listener, stop));
            job.Join(progress);
        }
        try
        {
            return await job.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            bool last;
            lock (_jobs)
            {
                last = job.Leave(progress);
                if (last && _jobs.GetValueOrDefault(key) == job)
                    _jobs.Remove(key);
            }
            // Who gives up last waits until the traces are gone.
            if (last)
                await job.Task.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
        }
    }

    /// <summary>What is here, newest first.</summary>
    public IReadOnlyList<StoredImage> List() =>
        [.. System.IO.Directory.EnumerateDirectories(Directory, "sha256-*")
            .Select(d => Sha256Digest.TryParse("sha256:" + Path.GetFileName(d)["sha256-".Length..], out Sha256Digest digest) ? Find(digest) : null)
            .OfType<StoredImage>().OrderByDescending(i => i.Created)];

    private StoredImage? Find(ImageReference reference) =>
        reference.Digest is { } digest && Find(digest) is { } image ? image
        : _references.Find(Named(reference)) is { } recorded ? Find(recorded) : null;

    // A pinned name means its digest; the tag beside it is for the reader.
    private static ImageReference Named(ImageReference reference) => reference.Digest is { } digest ? reference.WithoutTag(digest) : reference;

    private StoredImage? Find(Sha256Digest digest)
    {
        string directory = PathOf(digest), squashfs = Path.Combine(directory, Squashfs);
        try
        {
            StoredImageDocument? document = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(directory, Description)), StoreContext.Default.StoredImageDocument);
            if (document is null || document.Digest != digest.ToString() || new FileInfo(squashfs) is not { Exists: true } file || file.Length != document.Size)
                return null;
            return new StoredImage(digest, squashfs, document.Config, _references.NamesOf(digest), document.Size, document.Created);
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            return null; // not here, or not whole: it is pulled again
        }
    }

    private string PathOf(Sha256Digest digest) => Path.Combine(Directory, "sha256-" + digest.Hex);

    private async Task<StoredImage> PullAsync(ImageReference reference, bool insecure, IProgress<ImageProgress> progress, CancellationToken stop)
    {
        progress.Report(new ImageProgress(ImageStep.Resolving, reference.ToString(), 0, 0));
        using var registry = new RegistryClient(reference, insecure ? Options with { InsecureRegistries = [.. Options.InsecureRegistries, reference.Host] } : Options);
        // Ask what the tag means now before the manifest is read: most often it is here already.
        if (reference.Digest is null && await registry.FindDigestAsync(stop).ConfigureAwait(false) is { } current
            && Find(reference.WithoutTag(current)) is { } unchanged)
            return Keep(unchanged.Digest, reference, current);

        int maxBytes = Options.Pack.Limits.DocumentBytes;
        (byte[] document, Sha256Digest top) = await registry.ReadTopManifestAsync(maxBytes, stop).ConfigureAwait(false);
        Image image = await registry.ResolveAsync(document, top, reference.ToString(), Options.Pack.Limits, stop).ConfigureAwait(false);
        SemaphoreSlim packing = EnterPacking(image.Digest);
        try
        {
            // Two names of one image: the second finds what the first packed.
            await packing.WaitAsync(stop).ConfigureAwait(false);
            try
            {
                if (Find(image.Digest) is null)
                    await PackAsync(image, progress, stop).ConfigureAwait(false);
            }
            finally
            {
                packing.Release();
            }
        }
        finally
        {
            LeavePacking(image.Digest);
        }
        StoredImage stored = Keep(image.Digest, reference, top);
        progress.Report(new ImageProgress(ImageStep.Done, reference.ToString(), stored.Size, stored.Size));
        return stored;
    }

    private StoredImage Keep(Sha256Digest image, ImageReference reference, Sha256Digest top)
    {
        try
        {
            _references.Set(image, Named(reference), reference.WithoutTag(top));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException($"cannot note the name {reference} in {Directory}: {e.Message}", e);
        }
        return Find(image) ?? throw new ImageException($"{reference} was pulled, but {PathOf(image)} is not readable");
    }

    private async Task PackAsync(Image image, IProgress<ImageProgress> progress, CancellationToken stop)
    {
        string temporary = Path.Combine(Directory, TemporaryPrefix + Guid.NewGuid().ToString("N")), final = PathOf(image.Digest);
        try
        {
            System.IO.Directory.CreateDirectory(temporary);
            PackedImage packed = await SquashfsImage.WriteAsync(
                image, Path.Combine(temporary, Squashfs), temporary, Options.Pack, Options.ParallelLayers, progress, stop).ConfigureAwait(false);
            var description = new StoredImageDocument
            {
                Digest = image.Digest.ToString(),
                Size = packed.Size,
                Created = DateTimeOffset.UtcNow,
                Config = packed.Config,
            };
            Durable.WriteFile(Path.Combine(temporary, Description), JsonSerializer.SerializeToUtf8Bytes(description, StoreContext.Default.StoredImageDocument));
            stop.ThrowIfCancellationRequested();
            if (System.IO.Directory.Exists(final))
                System.IO.Directory.Delete(final, recursive: true); // one that was found not whole
            System.IO.Directory.Move(temporary, final);
            Durable.FlushDirectory(Directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException($"cannot keep the image in {Directory}: {e.Message}. Nothing was kept.", e);
        }
        finally
        {
            if (System.IO.Directory.Exists(temporary))
                System.IO.Directory.Delete(temporary, recursive: true);
        }
    }

    private SemaphoreSlim EnterPacking(Sha256Digest digest)
    {
        lock (_packing)
        {
            (SemaphoreSlim? gate, int users) = _packing.GetValueOrDefault(digest);
            gate ??= new SemaphoreSlim(1);
            _packing[digest] = (gate, users + 1);
            return gate;
        }
    }

    private void LeavePacking(Sha256Digest digest)
    {
        lock (_packing)
        {
            (SemaphoreSlim gate, int users) = _packing[digest];
            if (users == 1)
            {
                _packing.Remove(digest);
                gate.Dispose();
            }
            else
                _packing[digest] = (gate, users - 1);
        }
    }
}
