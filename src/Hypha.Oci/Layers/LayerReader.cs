using Hypha.Oci.Compression;
using Hypha.Oci.Tar;

namespace Hypha.Oci.Layers;

/// <summary>Reads one layer in a single pass: verify, decompress, verify again, take the archive apart.</summary>
internal static class LayerReader
{
    /// <param name="source">What to read.</param>
    /// <param name="budget">Shared by the layers of one image.</param>
    /// <param name="spoolDirectory">Where contents wait, in a file without a name.</param>
    /// <param name="arrived">Called with the count of stored bytes as they come.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="ImageException">Names the layer and, where there is one, the entry.</exception>
    internal static Layer Read(LayerSource source, ImageBudget budget, string spoolDirectory, Action<long> arrived, CancellationToken cancellation)
    {
        using var stored = new StoredStream(source, source.Open(cancellation), arrived, cancellation);
        Spool? spool = null;
        try
        {
            try
            {
                spool = new Spool(spoolDirectory);
                List<LayerEntry> entries = ReadArchive(source, stored, budget, spool);
                stored.Verify();
                return new Layer(source.Name, spool, entries);
            }
            catch (Exception e) when (e is TarFormatException or InvalidDataException)
            {
                // Bytes that are not the ones asked for explain more than what they look like.
                stored.Verify();
                string entry = e is TarFormatException { Entry: { } path } ? $", entry {Printable.Quote(path)}" : "";
                throw new ImageException($"{source.Name}{entry}: {e.Message}. The image is refused; nothing was kept. Check where it comes from.", e);
            }
        }
        catch
        {
            spool?.Dispose();
            throw;
        }
    }

    private static List<LayerEntry> ReadArchive(LayerSource source, StoredStream stored, ImageBudget budget, Spool spool)
    {
        using var plain = new PlainStream(Decompression.Open(stored), budget);
        var entries = new List<LayerEntry>();
        var archive = new TarReader(plain, budget.Limits);
        while (archive.Next() is { } entry)
        {
            budget.TakeEntry();
            // Holes cost nothing to store but all the time of a read; the stored part was counted as it came.
            if (entry.Sparse is not null)
                budget.TakeBytes(entry.Length - archive.Remaining);
            entries.Add(new LayerEntry(entry, entry.Kind == TarEntryKind.File ? spool.Take(archive, entry) : null));
        }
        spool.Flush();
        plain.Drain();
        if (plain.Digest != source.DiffId)
            throw new InvalidDataException($"its content has the digest {plain.Digest}, but the image's configuration says {source.DiffId}");
        return entries;
    }

    /// <summary>The layer as stored: never more bytes than announced, and exactly those of the digest.</summary>
    private sealed class StoredStream(LayerSource source, Stream inner, Action<long> arrived, CancellationToken cancellation) : HashingStream(inner)
    {
        protected override void Arrived(int count)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Count > source.Size)
                throw new ImageException($"{source.Name} is longer than the {source.Size} bytes that its manifest says. The image is refused; nothing was kept.");
            arrived(count);
        }

        internal void Verify()
        {
            Drain();
            if (Count != source.Size)
                throw new ImageException($"{source.Name} ends after {Count} bytes of {source.Size}: the download was cut off or the store is damaged. Nothing was kept; try again.");
            if (source.Digest is { } digest && Digest != digest)
                throw new ImageException($"{source.Name} has the digest {Digest}, but its manifest says {digest}: it was changed or damaged on the way. Nothing was kept.");
        }
    }

    private sealed class PlainStream(Stream inner, ImageBudget budget) : HashingStream(inner)
    {
        protected override void Arrived(int count) => budget.TakeBytes(count);
    }
}
