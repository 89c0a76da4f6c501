namespace Hypha.Oci.Tar;

/// <summary>
/// Finds a sparse file's map in the four places where writers put it (GNU tar manual, "Storing Sparse Files"): GNU's header of
/// type S and the blocks after it, PAX 0.0 (repeated records), 0.1 (one record), 1.0 (before the data).
/// </summary>
internal sealed class SparseReader(TarReader archive, int maxExtents)
{
    private readonly List<SparseExtent> _extents = [];

    /// <summary>The file's length, and its map when it is sparse. What is left in the archive is the data.</summary>
    internal (long Length, SparseMap? Map) Read(TarHeader header, TarExtensions extensions)
    {
        long length;
        if (header.TypeFlag == (byte)'S')
        {
            length = header.GnuRealSize;
            ReadGnu(header);
        }
        else if (extensions.Text("GNU.sparse.major") is { } major)
        {
            if (!major.AsSpan().SequenceEqual("1"u8) || extensions.Text("GNU.sparse.minor") is not { } minor || !minor.AsSpan().SequenceEqual("0"u8))
                throw new TarFormatException("it is a sparse file of an unknown version");
            length = extensions.Number("GNU.sparse.realsize") ?? throw new TarFormatException("it is a sparse file without a length");
            ReadPrecedingMap();
        }
        else if (extensions.Number("GNU.sparse.size") is { } size)
        {
            length = size;
            if (extensions.Text("GNU.sparse.map") is { } map)
                ReadRecord(map);
            else
                _extents.AddRange(extensions.SparseRecords);
        }
        else
            return (archive.Remaining, null);
        if (length < 0)
            throw new TarFormatException("its length is negative");
        return (length, SparseMap.Create(_extents, length, archive.Remaining));
    }

    private void ReadGnu(TarHeader header)
    {
        Span<byte> block = stackalloc byte[TarHeader.Size];
        for (int i = 0; i < TarHeader.GnuSparseCount; i++)
            AddGnu(header, TarHeader.GnuSparseOffset + i * 24);
        bool more = header.GnuSparseContinues;
        while (more)
        {
            archive.ReadExactly(block);
            var extension = new TarHeader(block);
            for (int i = 0; i < 21; i++)
                AddGnu(extension, i * 24);
            more = block[504] != 0;
        }
    }

    private void AddGnu(TarHeader block, int offset)
    {
        if (!block.IsUnused(offset, 24))
            Add(block.Number(offset, 12, "sparse map"), block.Number(offset + 12, 12, "sparse map"));
    }

    private void ReadRecord(ReadOnlySpan<byte> map)
    {
        var numbers = new List<long>();
        foreach (Range range in map.Split((byte)','))
        {
            if (numbers.Count >= 2 * maxExtents)
                throw TooMany();
            numbers.Add(PaxRecords.ParseNumber(map[range], "sparse map"));
        }
        if (numbers.Count % 2 != 0)
            throw new TarFormatException("its sparse map is malformed");
        for (int i = 0; i < numbers.Count; i += 2)
            Add(numbers[i], numbers[i + 1]);
    }

    // Lines of decimal numbers: how many pieces, then offset and length of each; zeros up to a whole block.
    private void ReadPrecedingMap()
    {
        Span<byte> block = stackalloc byte[TarHeader.Size];
        int next = block.Length;
        long count = ReadLine(block, ref next);
        if (count > maxExtents)
            throw TooMany();
        for (long i = 0; i < count; i++)
        {
            long offset = ReadLine(block, ref next);
            Add(offset, ReadLine(block, ref next));
        }
    }

    private long ReadLine(Span<byte> block, ref int next)
    {
        Span<byte> digits = stackalloc byte[20];
        for (int length = 0; ;)
        {
            if (next == block.Length)
            {
                for (int filled = 0; filled < block.Length;)
                {
                    int read = archive.Read(block[filled..]);
                    if (read == 0)
                        throw new TarFormatException("its sparse map is cut off");
                    filled += read;
                }
                next = 0;
            }
            byte b = block[next++];
            if (b == (byte)'\n')
                return PaxRecords.ParseNumber(digits[..length], "sparse map");
            if (length == digits.Length)
                throw new TarFormatException("its sparse map is malformed");
            digits[length++] = b;
        }
    }

    private void Add(long offset, long length)
    {
        if (_extents.Count >= maxExtents)
            throw TooMany();
        _extents.Add(new SparseExtent(offset, length));
    }

    private TarFormatException TooMany() => new($"its sparse map has more than {maxExtents} pieces");
}
