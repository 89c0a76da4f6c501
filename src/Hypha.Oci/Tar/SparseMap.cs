namespace Hypha.Oci.Tar;

/// <param name="Offset">In the file.</param>
/// <param name="Length">In bytes; may be 0.</param>
internal readonly record struct SparseExtent(long Offset, long Length);

/// <summary>The data of a sparse file: extents in order, without overlap, within the file; between them lie holes.</summary>
internal sealed class SparseMap
{
    private readonly SparseExtent[] _extents;
    private readonly long[] _stored; // where each extent's bytes begin in what the archive stores

    private SparseMap(SparseExtent[] extents, long[] stored) => (_extents, _stored) = (extents, stored);

    /// <exception cref="TarFormatException">The extents do not fit each other, the file, or what is stored.</exception>
    internal static SparseMap Create(IReadOnlyList<SparseExtent> extents, long fileLength, long storedLength)
    {
        long end = 0, stored = 0;
        var kept = new List<SparseExtent>(extents.Count);
        var places = new List<long>(extents.Count);
        foreach (SparseExtent extent in extents)
        {
            if (extent.Offset < end || extent.Length < 0 || extent.Offset > fileLength || extent.Length > fileLength - extent.Offset)
                throw new TarFormatException("its sparse map is out of order or leaves the file");
            if (extent.Length > 0)
            {
                kept.Add(extent);
                places.Add(stored);
            }
            end = extent.Offset + extent.Length;
            stored += extent.Length; // no overflow: the sum stays below fileLength
        }
        if (stored != storedLength)
            throw new TarFormatException($"its sparse map speaks of {stored} bytes, but {storedLength} are stored");
        return new SparseMap([.. kept], [.. places]);
    }

    /// <summary>The extent in which <paramref name="offset"/> lies or the next one.</summary>
    /// <returns>Start and end in the file and where the start is stored; start is <see cref="long.MaxValue"/> after the last.</returns>
    internal (long Start, long End, long Stored) Find(long offset)
    {
        int low = 0, high = _extents.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_extents[middle].Offset + _extents[middle].Length <= offset)
                low = middle + 1;
            else
                high = middle;
        }
        return low == _extents.Length
            ? (long.MaxValue, long.MaxValue, 0)
            : (_extents[low].Offset, _extents[low].Offset + _extents[low].Length, _stored[low]);
    }
}
