using System.IO.Compression;

namespace Hypha.Oci.Compression;

/// <summary>
/// Finds out how a layer is compressed by its first bytes, as containerd does: media types lie, and docker's archives have none.
/// </summary>
internal static class Decompression
{
    internal static Stream Open(Stream source)
    {
        byte[] head = new byte[4];
        int length = source.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        ReadOnlySpan<byte> magic = head.AsSpan(0, length);
        var whole = new PrefixedStream(head.AsMemory(0, length), source);
        if (magic.StartsWith<byte>([0x1F, 0x8B])) // RFC 1952 2.3.1
            return new GZipStream(whole, CompressionMode.Decompress);
        // RFC 8878 3.1.1 and 3.1.2: a frame, or one to be skipped.
        if (magic.SequenceEqual<byte>([0x28, 0xB5, 0x2F, 0xFD]) || (length == 4 && (head[0] & 0xF0) == 0x50 && magic[1..].SequenceEqual<byte>([0x2A, 0x4D, 0x18])))
            return new ZstdStream(whole);
        if (magic.StartsWith("BZh"u8) || magic.SequenceEqual<byte>([0xFD, (byte)'7', (byte)'z', (byte)'X']))
            throw new InvalidDataException("it is compressed with bzip2 or xz; image layers are plain, gzip or zstd");
        return whole;
    }

    private sealed class PrefixedStream(ReadOnlyMemory<byte> prefix, Stream rest) : ReadOnlyStream
    {
        private ReadOnlyMemory<byte> _prefix = prefix;

        public override int Read(Span<byte> buffer)
        {
            if (_prefix.IsEmpty)
                return rest.Read(buffer);
            int count = Math.Min(buffer.Length, _prefix.Length);
            _prefix.Span[..count].CopyTo(buffer);
            _prefix = _prefix[count..];
            return count;
        }
    }
}
