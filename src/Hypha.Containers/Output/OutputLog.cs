using System.Buffers.Binary;

namespace Hypha.Containers.Output;

/// <summary>
/// A container's output on disk, in the order in which it was read from the guest: frames of a 16-byte header (magic,
/// stream, length, offset within the stream) and the bytes. Two files of at most <c>limit / 2</c> bytes each: when the
/// current one is full it becomes the older one, and the older one goes. Since each frame knows its offset, a daemon
/// that takes a container up again asks the guest for exactly what is missing.
/// </summary>
public sealed class OutputLog : IDisposable
{
    /// <summary>Bytes kept per container by default.</summary>
    public const long DefaultLimit = 16 << 20;

    private const int HeaderSize = 16; // bytes
    private const ushort Magic = 0x4848;
    private const int MaximumChunk = 1 << 20;

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly long _segmentLimit;
    private readonly long[] _ends = new long[3]; // by stream
    private FileStream _current;

    public OutputLog(string path, long limit = DefaultLimit)
    {
        _path = path;
        _segmentLimit = limit / 2;
        _current = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        Recover();
    }

    private string OlderPath => _path + ".1";

    /// <summary>Where the next byte of a stream belongs: everything before was read.</summary>
    public long End(OutputStream stream)
    {
        lock (_gate)
            return _ends[(int)stream];
    }

    public void Append(OutputChunk chunk)
    {
        lock (_gate)
        {
            if (_current.Position > 0 && _current.Position + HeaderSize + chunk.Data.Length > _segmentLimit)
                Rotate();
            var frame = new byte[HeaderSize + chunk.Data.Length];
            BinaryPrimitives.WriteUInt16LittleEndian(frame, Magic);
            frame[2] = (byte)chunk.Stream;
            BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), chunk.Data.Length);
            BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(8), chunk.Offset);
            chunk.Data.Span.CopyTo(frame.AsSpan(HeaderSize));
            _current.Write(frame);
            _ends[(int)chunk.Stream] = chunk.End;
        }
    }

    /// <summary>
    /// Takes a snapshot of what is kept now: a later <see cref="Append"/> is not in it, even if it rotates the files.
    /// </summary>
    public OutputHistory Snapshot()
    {
        lock (_gate)
        {
            FileStream? older = null;
            try
            {
                older = new FileStream(OlderPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1 << 16);
            }
            catch (FileNotFoundException)
            {
                // nothing was rotated yet
            }
            var current = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1 << 16);
            return new OutputHistory(older, current, _current.Position);
        }
    }

    public void Dispose() => _current.Dispose();

    private void Rotate()
    {
        _current.Dispose();
        File.Move(_path, OlderPath, overwrite: true);
        _current = new FileStream(_path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
    }

    /// <summary>Finds each stream's end, and cuts off a frame that a killed daemon left half written.</summary>
    private void Recover()
    {
        if (File.Exists(OlderPath))
        {
            using var older = File.OpenRead(OlderPath);
            Scan(older);
        }
        _current.SetLength(Scan(_current));
        _current.Position = _current.Length;
    }

    private long Scan(FileStream file)
    {
        long good = 0;
        while (TryReadFrame(file, file.Length) is { } chunk)
        {
            _ends[(int)chunk.Stream] = chunk.End;
            good = file.Position;
        }
        return good;
    }

    internal static OutputChunk? TryReadFrame(Stream file, long end)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (end - file.Position < HeaderSize || file.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) < HeaderSize)
            return null;
        var stream = (OutputStream)header[2];
        int length = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
        long offset = BinaryPrimitives.ReadInt64LittleEndian(header[8..]);
        if (BinaryPrimitives.ReadUInt16LittleEndian(header) != Magic || stream is not (OutputStream.Stdout or OutputStream.Stderr)
            || length is < 0 or > MaximumChunk || offset < 0 || end - file.Position < length)
        {
            return null;
        }
        var data = new byte[length];
        return file.ReadAtLeast(data, length, throwOnEndOfStream: false) == length ? new OutputChunk(stream, offset, data) : null;
    }
}

/// <summary>What an <see cref="OutputLog"/> held at one moment, to be read once.</summary>
public sealed class OutputHistory(FileStream? older, FileStream current, long currentEnd) : IDisposable
{
    public IEnumerable<OutputChunk> Read()
    {
        if (older is not null)
        {
            while (OutputLog.TryReadFrame(older, older.Length) is { } chunk)
                yield return chunk;
        }
        while (OutputLog.TryReadFrame(current, currentEnd) is { } chunk)
            yield return chunk;
    }

    public void Dispose()
    {
        older?.Dispose();
        current.Dispose();
    }
}
