using Google.Protobuf;
using Hypha.Net.Capture;
using Hypha.Net.Gateway;
using Hypha.Protocol.Network;
using Hypha.Ttrpc;

namespace Hypha.NetworkDaemon.Control;

/// <summary>The one capture of a connection. Who looks at which guest is the loop's to change.</summary>
internal sealed class CaptureSession(GuestView guests) : IDisposable
{
    private const int LargestPiece = 1 << 20;   // bytes, in one answer
    private const int LongestSnap = 262_144;    // bytes, as in tcpdump: more than a frame has

    private byte[]? _buffer;
    private (FrameCapture Capture, Attachment Guest)? _running;
    private bool _over;
    private int _reading;

    public async Task<IMessage> Begin(CaptureRequest request, CancellationToken ct)
    {
        CaptureFilter filter = CaptureFilter.Parse(request.Filter);
        int snapLength = (int)Math.Min(request.SnapLength, LongestSnap);
        string name = await guests.WithAsync(request.Name, guest =>
        {
            if (_running is not null || _over)
                throw new TtrpcException(StatusCode.FailedPrecondition, "there is a capture on this connection already");
            var capture = new FrameCapture(guest.Interface, filter, snapLength, request.Count);
            guest.Attachment.Add(capture);
            _running = (capture, guest.Attachment);
            return guest.Interface;
        }).WaitAsync(ct).ConfigureAwait(false);
        return new CaptureResponse { Interface = name };
    }

    public async Task<IMessage> Read(CancellationToken ct)
    {
        if (_running is not { } running)
            throw new TtrpcException(StatusCode.FailedPrecondition, "no capture was begun on this connection");
        if (Interlocked.Exchange(ref _reading, 1) != 0)
            throw new TtrpcException(StatusCode.FailedPrecondition, "the capture is being read already");
        try
        {
            _buffer ??= new byte[LargestPiece];
            int length = await running.Capture.ReadAsync(_buffer, ct).ConfigureAwait(false);
            return new ReadCaptureResponse
            {
                Data = ByteString.CopyFrom(_buffer, 0, length),
                End = length == 0,
                Frames = running.Capture.Taken,
                Dropped = running.Capture.Dropped,
            };
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    public Task<IMessage> Stop()
    {
        guests.Post(End);
        return Task.FromResult<IMessage>(new StopCaptureResponse());
    }

    public void Dispose() => guests.Post(() =>
    {
        _over = true; // one that is still to begin, too
        End();
    });

    private void End()
    {
        if (_running is { } running)
            running.Guest.Remove(running.Capture);
    }
}
