using Google.Protobuf;

namespace Hypha.Ttrpc;

/// <summary>
/// Sends messages in the order in which they were posted. Whoever finds the stream idle writes, until the queue is empty: no
/// thread of its own, and over a stream that completes at once nothing ever leaves the caller's thread.
/// </summary>
internal sealed class FrameWriter(Stream stream, int maxMessage, int maxQueued, Action<Exception> failed, CancellationToken closed)
{
    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _queue = new();
    private bool _writing;

    /// <exception cref="TtrpcException">The message is longer than the limit.</exception>
    public byte[] Frame(MessageType type, IMessage envelope)
    {
        int length = envelope.CalculateSize();
        if (length > maxMessage)
            throw new TtrpcException(StatusCode.ResourceExhausted, $"a message of {length} bytes; the limit is {maxMessage}");
        var frame = new byte[FrameHeader.Size + length];
        new FrameHeader((uint)length, 0, type, MessageFlags.None).Write(frame);
        envelope.WriteTo(frame.AsSpan(FrameHeader.Size));
        return frame;
    }

    /// <summary>Queues a frame under a stream id. <see cref="Pump"/> sends it, so that a caller can post under a lock and write outside it.</summary>
    /// <returns>False when the peer takes nothing and the queue is full.</returns>
    public bool Post(uint streamId, byte[] frame)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(4), streamId);
        lock (_gate)
        {
            if (_queue.Count >= maxQueued)
                return false;
            _queue.Enqueue(frame);
            return true;
        }
    }

    public void Pump()
    {
        lock (_gate)
        {
            if (_writing)
                return;
            _writing = true;
        }
        _ = DrainAsync();
    }

    private async Task DrainAsync()
    {
        try
        {
            while (true)
            {
                byte[]? frame;
                lock (_gate)
                {
                    if (!_queue.TryDequeue(out frame))
                    {
                        _writing = false;
                        return;
                    }
                }
                await stream.WriteAsync(frame, closed).ConfigureAwait(false);
                await stream.FlushAsync(closed).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            // _writing stays set: nothing is sent after a frame that may have been cut.
            failed(e);
        }
    }
}
