namespace Hypha.Oci.Tar;

/// <summary>
/// A header block: POSIX ustar (IEEE 1003.1, pax, "ustar Interchange Format"), GNU's variant of it (GNU tar manual, "Basic Tar
/// Format": struct oldgnu_header) or the unmarked one of Unix v7.
/// </summary>
internal readonly ref struct TarHeader(ReadOnlySpan<byte> block)
{
    internal const int Size = 512;

    private readonly ReadOnlySpan<byte> _block = block[..Size];

    internal ReadOnlySpan<byte> Name => Text(0, 100);
    internal long Mode => Number(100, 8, "mode");
    internal long Uid => Number(108, 8, "owner");
    internal long Gid => Number(116, 8, "group");
    internal long StoredSize => Number(124, 12, "size");
    internal long ModificationTime => Number(136, 12, "time");
    internal byte TypeFlag => _block[156];
    internal ReadOnlySpan<byte> LinkName => Text(157, 100);
    internal bool IsPosix => _block.Slice(257, 6).SequenceEqual("ustar\0"u8);
    internal bool IsGnu => _block.Slice(257, 8).SequenceEqual("ustar  \0"u8);
    internal long DeviceMajor => Number(329, 8, "device");
    internal long DeviceMinor => Number(337, 8, "device");
    internal ReadOnlySpan<byte> Prefix => IsPosix ? Text(345, 155) : default;

    // GNU, sparse files of type S: four pieces, whether more follow in the next block, the file's true size.
    internal const int GnuSparseOffset = 386;
    internal const int GnuSparseCount = 4;
    internal bool GnuSparseContinues => _block[482] != 0;
    internal long GnuRealSize => Number(483, 12, "size");

    internal bool IsZero => _block.IndexOfAnyExcept((byte)0) < 0;

    internal bool IsUnused(int offset, int length) => _block.Slice(offset, length).IndexOfAnyExcept((byte)0) < 0;

    /// <summary>The sum of all bytes with the checksum's own as spaces; old writers added signed bytes.</summary>
    internal bool HasGoodChecksum
    {
        get
        {
            int unsigned = 0, signed = 0;
            for (int i = 0; i < Size; i++)
            {
                byte b = i is >= 148 and < 156 ? (byte)' ' : _block[i];
                unsigned += b;
                signed += (sbyte)b;
            }
            return TarNumber.TryParse(_block.Slice(148, 8), out long stored) && (stored == unsigned || stored == signed);
        }
    }

    internal long Number(int offset, int length, string what) => TarNumber.TryParse(_block.Slice(offset, length), out long value)
        ? value
        : throw new TarFormatException($"its {what} is not a number");

    private ReadOnlySpan<byte> Text(int offset, int length)
    {
        ReadOnlySpan<byte> field = _block.Slice(offset, length);
        int end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }
}
