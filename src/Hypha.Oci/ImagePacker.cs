using Hypha.Oci.Content;
using Hypha.Oci.Layers;

namespace Hypha.Oci;

/// <summary>Turns an image on disk into a squashfs. Needs no root, no daemon and no Xen.</summary>
public static class ImagePacker
{
    private const int ParallelLayers = 4;

    /// <summary>Packs <paramref name="source"/> into <paramref name="outputFile"/>, which appears complete or not at all.</summary>
    /// <returns>What the image says about how to run it, and what was written.</returns>
    /// <exception cref="ImageException">With a sentence for a person; nothing is left behind.</exception>
    /// <exception cref="OperationCanceledException">Nothing is left behind.</exception>
    public static async Task<PackedImage> PackAsync(
        ImageSource source, string outputFile, PackOptions options, IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        progress?.Report(new ImageProgress(ImageStep.Resolving, source.ToString(), 0, 0));
        string full = Path.GetFullPath(outputFile);
        string directory = Path.GetDirectoryName(full) ?? throw new ImageException($"{Printable.Quote(outputFile)} is not the name of a file");
        if (!Directory.Exists(directory))
            throw new ImageException($"cannot write {Printable.Quote(outputFile)}: the directory {Printable.Quote(directory)} does not exist");
        if (Directory.Exists(full))
            throw new ImageException($"cannot write {Printable.Quote(outputFile)}: it is a directory");

        string temporary = Path.Combine(directory, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}");
        try
        {
            using ArchiveFile? archive = source.Kind == ImageSourceKind.OciLayout ? null : new ArchiveFile(source.Path, source.ToString(), options.Limits);
            Image image = await FindAsync(source, archive, options.Limits, cancellation).ConfigureAwait(false);
            PackedImage packed = await SquashfsImage.WriteAsync(image, temporary, directory, options, ParallelLayers, progress, cancellation).ConfigureAwait(false);
            File.Move(temporary, full, overwrite: true);
            progress?.Report(new ImageProgress(ImageStep.Done, source.ToString(), packed.Size, packed.Size));
            return packed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException($"cannot pack {source} into {Printable.Quote(outputFile)}: {e.Message}", e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static Task<Image> FindAsync(ImageSource source, ArchiveFile? archive, ImageLimits limits, CancellationToken cancellation) => source.Kind switch
    {
        ImageSourceKind.OciLayout => LayoutSource.InDirectory(source.Path).FindAsync(source.Name, limits, cancellation),
        ImageSourceKind.OciArchive => LayoutSource.InArchive(archive!).FindAsync(source.Name, limits, cancellation),
        _ => DockerArchive.FindAsync(archive!, source.Name, limits, cancellation),
    };
}
