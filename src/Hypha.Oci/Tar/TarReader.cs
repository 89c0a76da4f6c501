using Hypha.Squashfs;

namespace Hypha.Oci.Tar;

/// <summary>
/// Reads an archive once, from its beginning to its end: ustar, pax, GNU (long names, base 256, sparse) and v7. What it does not
/// understand is an error, never skipped. System.Formats.Tar passes extended attributes through text and knows no sparse files.
/// </summary>
internal sealed class TarReader(Stream stream, ImageLimits limits)
{
    private readonly byte[] _block = new byte[TarHeader.Size];
    private readonly Dictionary<string, byte[]> _global = [];
    private long _globalBytes;
    private long _remaining; // of the current entry's stored bytes
    private int _padding; // behind them

    /// <summary>Bytes read from the stream so far: after <see cref="Next"/>, where the entry's stored bytes begin.</summary>
    internal long Position { get; private set; }

    /// <summary>Stored bytes of the entry that are not read yet.</summary>
    internal long Remaining => _remaining;

    /// <summary>The next entry, or null at the end of the archive.</summary>
    /// <exception cref="TarFormatException">With the entry's path once that is known.</exception>
    internal TarEntry? Next()
    {
        Skip(_remaining);
        _remaining = 0;
        Skip(_padding);
        _padding = 0;

        var extensions = new TarExtensions(_global);
        while (true)
        {
            if (!ReadBlock(atEnd: extensions.IsEmpty))
                return null;
            var header = new TarHeader(_block);
            if (header.IsZero)
            {
                if (!extensions.IsEmpty)
                    throw new TarFormatException("the archive ends within an entry");
                ReadTrailer();
                return null;
            }
            if (!header.HasGoodChecksum)
                throw new TarFormatException("a header's checksum is wrong: the archive is damaged or no tar", Name(header));

            switch ((char)header.TypeFlag)
            {
                case 'x':
                    PaxRecords.Parse(ReadExtension(header, extensions), extensions.Local, extensions.SparseRecords, limits.SparseExtents);
                    break;
                case 'g':
                    PaxRecords.Parse(ReadExtension(header, extensions), _global, null, 0);
                    if ((_globalBytes = _global.Sum(r => (long)r.Key.Length + r.Value.Length)) > limits.HeaderBytes)
                        throw new TarFormatException($"its global PAX headers are larger than {limits.HeaderBytes} bytes");
                    break;
                case 'L':
                    extensions.LongName = CutAtNul(ReadExtension(header, extensions));
                    break;
                case 'K':
                    extensions.LongLink = CutAtNul(ReadExtension(header, extensions));
                    break;
                default:
                    byte[] path = extensions.Text("GNU.sparse.name") ?? extensions.Text("path") ?? extensions.LongName ?? Name(header);
                    try
                    {
                        return Entry(header, path, extensions);
                    }
                    catch (TarFormatException e) when (e.Entry is null)
                    {
                        throw new TarFormatException(e.Message, path);
                    }
            }
        }
    }

    /// <summary>Reads stored bytes of the current entry; 0 at their end.</summary>
    internal int Read(Span<byte> buffer)
    {
        if (_remaining == 0 || buffer.IsEmpty)
            return 0;
        int read = stream.Read(buffer[..(int)Math.Min(buffer.Length, _remaining)]);
        if (read == 0)
            throw new TarFormatException("the archive ends within a file");
        Position += read;
        _remaining -= read;
        return read;
    }

    private TarEntry Entry(TarHeader header, byte[] path, TarExtensions extensions)
    {
        TarEntryKind kind = Kind(header.TypeFlag, path);
        CheckPath(path, "path");
        byte[] target = [];
        if (kind is TarEntryKind.HardLink or TarEntryKind.Symlink)
        {
            target = extensions.Text("linkpath") ?? extensions.LongLink ?? header.LinkName.ToArray();
            CheckPath(target, "link's target");
            if (target.Length == 0)
                throw new TarFormatException("the link has no target");
        }

        // Pax's size wins for the stride, too: whoever reads the header's instead sees other entries (CVE-2025-62518).
        long stored = extensions.Number("size") ?? header.StoredSize;
        if (stored < 0)
            throw new TarFormatException("its size is negative");
        // Links, devices and directories have no stored bytes whatever their size field says, as in every common reader.
        (long length, SparseMap? sparse) = (0, null);
        if (kind == TarEntryKind.File)
        {
            CheckLength(stored);
            _remaining = stored;
            _padding = (int)(-stored & (TarHeader.Size - 1));
            (length, sparse) = new SparseReader(this, limits.SparseExtents).Read(header, extensions);
            CheckLength(length);
        }

        bool isDevice = kind is TarEntryKind.CharacterDevice or TarEntryKind.BlockDevice;
        long time = extensions.Text("mtime") is { } text ? PaxRecords.ParseTime(text) : header.ModificationTime;
        return new TarEntry
        {
            Path = path,
            Kind = kind,
            LinkTarget = target,
            Uid = InRange(extensions.Number("uid") ?? header.Uid, uint.MaxValue - 1, "owner"), // 2^32-1 means "no change" to chown
            Gid = InRange(extensions.Number("gid") ?? header.Gid, uint.MaxValue - 1, "group"),
            Permissions = (ushort)(InRange(header.Mode, long.MaxValue, "mode") & 0xFFF),
            ModificationTime = (uint)Math.Clamp(time, 0, uint.MaxValue), // as much as a squashfs holds
            DeviceMajor = isDevice ? InRange(header.DeviceMajor, DeviceInode.MaxMajor, "device's major number") : 0,
            DeviceMinor = isDevice ? InRange(header.DeviceMinor, DeviceInode.MaxMinor, "device's minor number") : 0,
            Length = length,
            Sparse = sparse,
            Xattrs = extensions.Xattrs(limits.XattrBytes),
        };
    }

    private static TarEntryKind Kind(byte typeFlag, byte[] path) => (char)typeFlag switch
    {
        '\0' when path.AsSpan().EndsWith("/"u8) => TarEntryKind.Directory, // v7 knew no other way
        '0' or '\0' or '7' or 'S' => TarEntryKind.File,
        '1' => TarEntryKind.HardLink,
        '2' => TarEntryKind.Symlink,
        '3' => TarEntryKind.CharacterDevice,
        '4' => TarEntryKind.BlockDevice,
        '5' => TarEntryKind.Directory,
        '6' => TarEntryKind.Fifo,
        _ => throw new TarFormatException($"it is of type {Printable.Quote([typeFlag])}, which no image layer may hold"),
    };

    private static byte[] Name(TarHeader header) =>
        header.Prefix.IsEmpty ? header.Name.ToArray() : [.. header.Prefix, (byte)'/', .. header.Name];

    private void CheckPath(byte[] path, string what)
    {
        if (path.Length > limits.PathBytes)
            throw new TarFormatException($"the {what} is longer than {limits.PathBytes} bytes");
        if (path.AsSpan().Contains((byte)0))
            throw new TarFormatException($"the {what} holds a NUL");
    }

    private void CheckLength(long length)
    {
        if (length > limits.ExpandedBytes)
            throw new TarFormatException($"its length of {length} bytes is over the limit of {limits.ExpandedBytes}");
    }

    private static uint InRange(long value, long max, string what) => value >= 0 && value <= max
        ? unchecked((uint)value)
        : throw new TarFormatException($"its {what} {value} is out of range");

    private byte[] ReadExtension(TarHeader header, TarExtensions extensions)
    {
        long size = header.StoredSize;
        if (size < 0 || size > limits.HeaderBytes - extensions.Bytes)
            throw new TarFormatException($"its extension headers are larger than {limits.HeaderBytes} bytes");
        extensions.Bytes += (int)size + TarHeader.Size; // an empty one counts, too
        byte[] body = new byte[size];
        ReadExactly(body);
        Skip(-size & (TarHeader.Size - 1));
        return body;
    }

    private static byte[] CutAtNul(byte[] text)
    {
        int end = Array.IndexOf(text, (byte)0);
        return end < 0 ? text : text[..end];
    }

    /// <summary>A block of headers or of a sparse map, which belong to the entry's head.</summary>
    internal void ReadExactly(Span<byte> buffer)
    {
        if (ReadSome(buffer) != buffer.Length)
            throw new TarFormatException("the archive ends within a header");
    }

    private bool ReadBlock(bool atEnd)
    {
        int read = ReadSome(_block);
        // Many writers leave out the two blocks of zeros at the end.
        if (read == 0 && atEnd)
            return false;
        return read == TarHeader.Size ? true : throw new TarFormatException("the archive ends within a header");
    }

    private int ReadSome(Span<byte> buffer)
    {
        int total = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        Position += total;
        return total;
    }

    private void Skip(long count)
    {
        Span<byte> sink = stackalloc byte[4096];
        for (; count > 0;)
        {
            int read = stream.Read(sink[..(int)Math.Min(sink.Length, count)]);
            if (read == 0)
                throw new TarFormatException("the archive ends within a file");
            Position += read;
            count -= read;
        }
    }

    // Zeros up to the end of the last record. Anything else there would be an entry to another reader.
    private void ReadTrailer()
    {
        Span<byte> sink = stackalloc byte[4096];
        for (int read; (read = stream.Read(sink)) > 0; Position += read)
        {
            if (sink[..read].IndexOfAnyExcept((byte)0) >= 0)
                throw new TarFormatException("something stands behind the archive's end");
        }
    }
}
