using Hypha.Oci.Content;
using Hypha.Squashfs;
using Microsoft.Win32.SafeHandles;

namespace Hypha.Oci.Layers;

/// <summary>Layers side by side into spools, merged into one tree, written as one squashfs.</summary>
internal static class SquashfsImage
{
    /// <summary>Writes <paramref name="image"/> to an empty file in <paramref name="directory"/>, which holds the spools as well.</summary>
    internal static async Task<PackedImage> WriteAsync(
        Image image, string path, string directory, PackOptions options, int parallelLayers, IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        var meter = new ProgressMeter(progress);
        var layers = new Layer?[image.Layers.Count];
        try
        {
            await ReadLayersAsync(image, layers, directory, options.Limits, parallelLayers, meter, cancellation).ConfigureAwait(false);
            return await Task.Run(() => Pack(image, layers!, path, options, meter, cancellation), cancellation).ConfigureAwait(false);
        }
        catch (IOException e) when (e is not SquashfsException)
        {
            throw new ImageException($"cannot unpack the image in {directory}: {e.Message}. Nothing was kept.", e);
        }
        catch (SquashfsException e)
        {
            throw new ImageException($"cannot write the image to {path}: {e.Message}. Nothing was kept.", e);
        }
        finally
        {
            foreach (Layer? layer in layers)
                layer?.Dispose();
        }
    }

    private static async Task ReadLayersAsync(
        Image image, Layer?[] layers, string directory, ImageLimits limits, int parallelLayers, ProgressMeter meter, CancellationToken cancellation)
    {
        var budget = new ImageBudget(limits);
        string count = layers.Length == 1 ? "1 layer" : $"{layers.Length} layers";
        meter.Begin(ImageStep.ReadingLayers, count, image.Layers.Sum(l => l.Size));

        // The first failure stops the others; theirs is then only that they were stopped.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Exception? failure = null;
        using var slots = new SemaphoreSlim(parallelLayers);
        await Task.WhenAll(image.Layers.Select(async source =>
        {
            try
            {
                await slots.WaitAsync(stop.Token).ConfigureAwait(false);
                try
                {
                    // A thread of its own: it waits for the network and computes in turns.
                    layers[source.Number - 1] = await Task.Factory.StartNew(
                        () => LayerReader.Read(source, budget, directory, meter.Add, stop.Token),
                        stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
                }
                finally
                {
                    slots.Release();
                }
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
                await stop.CancelAsync().ConfigureAwait(false);
            }
        })).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        meter.Report();
    }

    private static PackedImage Pack(Image image, Layer[] layers, string path, PackOptions options, ProgressMeter meter, CancellationToken cancellation)
    {
        var merger = new LayerMerger(options.Limits);
        foreach (Layer layer in layers)
        {
            cancellation.ThrowIfCancellationRequested();
            merger.Apply(layer);
            layer.Entries.Clear();
        }
        using SafeFileHandle output = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read);
        using var writer = new SquashfsWriter(output, new SquashfsOptions
        {
            BlockSize = options.BlockSize,
            CompressionLevel = options.CompressionLevel,
            Workers = options.Workers,
        });
        meter.Begin(ImageStep.Packing, "squashfs", 0);
        long size = writer.Complete(merger.Tree, meter.Set, cancellation);
        RandomAccess.FlushToDisk(output);
        meter.Report();
        return new PackedImage(image.Digest, image.Config, size, [.. writer.Warnings]);
    }
}
