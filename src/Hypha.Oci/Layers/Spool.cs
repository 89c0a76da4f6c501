using Hypha.Oci.Tar;
using Hypha.Squashfs;
using Microsoft.Win32.SafeHandles;

namespace Hypha.Oci.Layers;

/// <summary>
/// File contents of one layer, one after the other in a file without a name, until the squashfs takes them. It is gone
/// with its descriptor, whatever ends the process.
/// </summary>
internal sealed class Spool : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(256 << 10);
    private int _buffered;
    private long _length; // what was written; the buffer's bytes follow

    internal Spool(string directory)
    {
        string path = Path.Combine(directory, $".spool-{Guid.NewGuid():N}");
        _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        File.Delete(path);
    }

    /// <summary>Takes over the current entry's stored bytes.</summary>
    internal FileContent Take(TarReader archive, TarEntry entry)
    {
        long offset = _length + _buffered;
        while (archive.Remaining > 0)
        {
            if (_buffered == _buffer.Length)
                Flush();
            _buffered += archive.Read(_buffer.AsSpan(_buffered));
        }
        return entry.Length == 0 ? FileContent.Empty
            : entry.Sparse is { } map ? new SparseContent(this, offset, entry.Length, map)
            : new PlainContent(this, offset, entry.Length);
    }

    /// <summary>Writes what is buffered; contents can be read from here on.</summary>
    internal void Flush()
    {
        RandomAccess.Write(_file, _buffer.AsSpan(0, _buffered), _length);
        _length += _buffered;
        _buffered = 0;
    }

    public void Dispose() => _file.Dispose();

    private void ReadExactly(long offset, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int read = RandomAccess.Read(_file, buffer, offset);
            if (read == 0)
                throw new IOException("the file of a layer's contents ends early");
            buffer = buffer[read..];
            offset += read;
        }
    }

    private sealed class PlainContent(Spool spool, long start, long length) : FileContent
    {
        public override long Length => length;
        public override void Read(long offset, Span<byte> buffer) => spool.ReadExactly(start + offset, buffer);
    }

    private sealed class SparseContent(Spool spool, long start, long length, SparseMap map) : FileContent
    {
        public override long Length => length;

        public override void Read(long offset, Span<byte> buffer)
        {
            while (!buffer.IsEmpty)
            {
                (long from, long to, long stored) = map.Find(offset);
                int count;
                if (offset < from)
                {
                    count = (int)Math.Min(buffer.Length, from - offset);
                    buffer[..count].Clear();
                }
                else
                {
                    count = (int)Math.Min(buffer.Length, to - offset);
                    spool.ReadExactly(start + stored + (offset - from), buffer[..count]);
                }
                buffer = buffer[count..];
                offset += count;
            }
        }
    }
}
