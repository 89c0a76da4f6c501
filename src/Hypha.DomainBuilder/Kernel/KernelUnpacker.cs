using System.IO.Compression;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Hypha.DomainBuilder.Kernel;

/// <summary>From a kernel file as people have it to the ELF file inside: a bzImage's payload, a packed vmlinux, or vmlinux itself.</summary>
internal static class KernelUnpacker
{
    /// <summary>No kernel unpacks to more than this (Debian's, without debug information, is 63 MiB).</summary>
    public const long MaxSize = 512L << 20;

    /// <summary>Finds the ELF file's bytes.</summary>
    /// <param name="file">Seekable; stays open and in use until <paramref name="elf"/> is disposed.</param>
    /// <param name="elf">The ELF file, unpacked while it is read. Reading it may throw <see cref="KernelImageException"/>.</param>
    /// <returns>How it was packed.</returns>
    /// <exception cref="KernelImageException">It is no kernel for this machine that we know.</exception>
    public static PayloadFormat Open(Stream file, out Stream elf)
    {
        byte[] head = new byte[BzImage.HeaderSize];
        file.Position = 0;
        head = head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        if (head.Length == 0)
            throw new KernelImageException("the kernel file is empty");

        PayloadFormat format;
        long start = 0, length = file.Length;
        long? size = null;
        if (BzImage.IsBzImage(head))
        {
            BzImage image = BzImage.Parse(head, file.Length);
            (start, length) = (image.PayloadOffset, image.PayloadLength);
            Span<byte> magic = stackalloc byte[8];
            file.Position = start;
            format = PayloadFormats.Detect(magic[..file.ReadAtLeast(magic, (int)Math.Min(8, length))]);
            if (format == PayloadFormat.Unknown)
                throw new KernelImageException($"the kernel's payload is packed in a way that is not known (it begins with {Convert.ToHexStringLower(magic)})");
            if (format != PayloadFormat.Elf)
                size = ReadAppendedSize(file, start, ref length, format);
        }
        else
        {
            format = PayloadFormats.Detect(head);
            if (format == PayloadFormat.Unknown)
                throw new KernelImageException(head is [(byte)'M', (byte)'Z', ..]
                    ? "the file is an EFI program without a Linux setup header: a bzImage or an ELF vmlinux is needed"
                    : "the file is neither a bzImage nor an ELF vmlinux");
        }

        file.Position = start;
        Stream packed = new Window(file, length);
        elf = new Measured(Decoder(format, packed), size);
        return format;
    }

    /// <summary>
    /// Linux's build appends the unpacked size, four bytes little-endian, to a payload; gzip ends with it by its own format
    /// (RFC 1952 2.3.1, ISIZE), so that there it is part of the stream.
    /// </summary>
    private static long ReadAppendedSize(Stream file, long start, ref long length, PayloadFormat format)
    {
        if (length < 8)
            throw new KernelImageException("the kernel is truncated: its payload is shorter than its own size field");
        Span<byte> word = stackalloc byte[4];
        file.Position = start + length - 4;
        file.ReadExactly(word);
        if (format != PayloadFormat.Gzip)
            length -= 4;
        long size = ReadUInt32LittleEndian(word);
        return size is > 0 and <= MaxSize
            ? size
            : throw new KernelImageException($"the kernel says it unpacks to {size} bytes; at most {MaxSize} are taken");
    }

    private static Stream Decoder(PayloadFormat format, Stream packed) => format switch
    {
        PayloadFormat.Elf => packed,
        PayloadFormat.Gzip => new GZipStream(packed, CompressionMode.Decompress, leaveOpen: true),
        PayloadFormat.Bzip2 => new Bzip2Decoder(packed),
        PayloadFormat.Lzma => new XzDecoder(packed, alone: true),
        PayloadFormat.Xz => new XzDecoder(packed, alone: false),
        PayloadFormat.Lz4 => new Lz4LegacyDecoder(packed),
        PayloadFormat.Zstd => new ZstdDecoder(packed),
        _ => throw new KernelImageException(
            $"kernels packed with {format.ToString().ToLowerInvariant()} are not supported: gzip, bzip2, lzma, xz, lz4 and zstd are"),
    };

    /// <summary>A range of a seekable stream.</summary>
    private sealed class Window(Stream file, long length) : ForwardStream
    {
        private long _left = length;

        public override int Read(Span<byte> buffer)
        {
            int n = file.Read(buffer[..(int)Math.Min(buffer.Length, _left)]);
            _left -= n;
            return n;
        }
    }

    /// <summary>Holds what is unpacked to the size that was promised, and a bomb to the largest that is taken.</summary>
    private sealed class Measured(Stream inner, long? size) : ForwardStream
    {
        private long _count;

        public override int Read(Span<byte> buffer)
        {
            int n;
            try
            {
                n = inner.Read(buffer);
            }
            catch (InvalidDataException e) // GZipStream's
            {
                throw new KernelImageException("the kernel's gzip payload is corrupt", e);
            }
            _count += n;
            if (_count > (size ?? MaxSize))
                throw new KernelImageException(size is null
                    ? $"the kernel unpacks to more than {MaxSize >> 20} MiB"
                    : $"the kernel says it unpacks to {size} bytes but goes on behind them");
            if (n == 0 && !buffer.IsEmpty && size is not null && _count < size)
                throw new KernelImageException($"the kernel is truncated or corrupt: it unpacks to {_count} bytes instead of {size}");
            return n;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
