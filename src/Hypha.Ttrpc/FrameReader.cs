namespace Hypha.Ttrpc;

/// <summary>Cuts a byte stream into messages, none longer than the limit. One buffer, grown to the largest message seen.</summary>
internal sealed class FrameReader(Stream stream, int maxMessage)
{
    private const int SmallBuffer = 4096;

    private readonly byte[] _header = new byte[FrameHeader.Size];
    private byte[] _payload = new byte[Math.Min(SmallBuffer, maxMessage)];

    /// <summary>The last message's bytes, valid until the next read.</summary>
    public ReadOnlySpan<byte> Payload => _payload.AsSpan(0, (int)Header.Length);

    public FrameHeader Header { get; private set; }

    /// <returns>False when the stream ended between two messages.</returns>
    /// <exception cref="TtrpcProtocolException">The stream ended within a message, or the message is too long.</exception>
    public async ValueTask<bool> ReadAsync(CancellationToken ct)
    {
        Header = default;
        int got = await stream.ReadAtLeastAsync(_header, FrameHeader.Size, throwOnEndOfStream: false, ct).ConfigureAwait(false);
        if (got == 0)
            return false;
        if (got < FrameHeader.Size)
            throw new TtrpcProtocolException($"the connection ended after {got} of a header's {FrameHeader.Size} bytes");

        FrameHeader header = FrameHeader.Read(_header);
        if (header.Length > (uint)maxMessage)
            throw new TtrpcProtocolException($"stream {header.StreamId}: a message of {header.Length} bytes; the limit is {maxMessage}");

        int length = (int)header.Length;
        if (_payload.Length < length)
            _payload = new byte[Math.Min(maxMessage, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length))];
        got = await stream.ReadAtLeastAsync(_payload.AsMemory(0, length), length, throwOnEndOfStream: false, ct).ConfigureAwait(false);
        if (got < length)
            throw new TtrpcProtocolException($"stream {header.StreamId}: the connection ended after {got} of a message's {length} bytes");
        Header = header;
        return true;
    }
}
