using System.Diagnostics;
using System.Net.Sockets;
using Hypha.Oci.Compression;

namespace Hypha.Oci.Registry;

/// <summary>
/// A body that arrives from a registry. Who sends nothing, or a byte now and then, is given up; time that the reader itself takes
/// does not count.
/// </summary>
internal sealed class DownloadStream(HttpResponseMessage response, Stream body, string what, TimeSpan stallTimeout, CancellationToken cancellation) : ReadOnlyStream
{
    private const int LeastBytes = 64 << 10; // within the stall time of waiting

    private TimeSpan _waited;
    private long _arrived; // since the time was last set back

    public override int Read(Span<byte> buffer)
    {
        byte[] rented = System.Buffers.ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length, 64 << 10));
        try
        {
            int read = ReadAsync(rented.AsMemory(0, Math.Min(buffer.Length, rented.Length)), cancellation).AsTask().GetAwaiter().GetResult();
            rented.AsSpan(0, read).CopyTo(buffer);
            return read;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(rented);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        TimeSpan left = stallTimeout - _waited;
        if (left <= TimeSpan.Zero)
            throw Stalled();
        stall.CancelAfter(left);
        long start = Stopwatch.GetTimestamp();
        try
        {
            int read = await body.ReadAsync(buffer, stall.Token).ConfigureAwait(false);
            _waited += Stopwatch.GetElapsedTime(start);
            if ((_arrived += read) >= LeastBytes)
                (_arrived, _waited) = (0, TimeSpan.Zero);
            return read;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Stalled();
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            throw new ImageException($"the download of {what} was cut off: {e.Message} Nothing was kept; try again.", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
            response.Dispose();
        }
        base.Dispose(disposing);
    }

    private ImageException Stalled() =>
        new($"the download of {what} stands still (fewer than {LeastBytes >> 10} KiB in {stallTimeout.TotalSeconds:0} s). Nothing was kept; try again later.");
}
