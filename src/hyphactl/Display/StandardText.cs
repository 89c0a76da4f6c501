using System.Text;
using Hypha.Linux;

namespace Hypha.Ctl.Display;

/// <summary>
/// Standard output and error as text. System.Console is used nowhere: on a terminal its first use switches the cursor keys to
/// application mode and never back, which a container's shell would be the first to notice; and it hides a broken pipe.
/// </summary>
internal static class StandardText
{
    /// <summary>Throws <see cref="LinuxException"/> with EPIPE when nobody reads any more.</summary>
    public static TextWriter Out { get; } = Writer(StandardStream.Output);

    /// <summary>Never throws: there is no place left where a failure could be told.</summary>
    public static TextWriter Error { get; } = Writer(StandardStream.Error);

    private static StreamWriter Writer(StandardStream stream) =>
        new(new ByteStream(stream), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true, NewLine = "\n" };

    private sealed class ByteStream(StandardStream stream) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            try
            {
                StandardStreams.Write(stream, buffer);
            }
            catch (LinuxException) when (stream == StandardStream.Error)
            {
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
