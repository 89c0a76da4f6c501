using Google.Protobuf;
using Hypha.Protocol.Network;
using Hypha.Ttrpc;

namespace Hypha.NetworkDaemon.Control;

/// <summary>Service hypha.network.v1.Network on one connection.</summary>
internal sealed class NetworkService(GuestView guests) : IDisposable
{
    public const string Name = "hypha.network.v1.Network";

    /// <summary>Of flows in one answer, which is about a megabyte then.</summary>
    private const int LargestPage = 10_000;

    private readonly CaptureSession _capture = new(guests);
    private readonly ForwardSession _forward = new(guests);

    public TtrpcServices Services() => new TtrpcServices()
        .Add(Name, "Guests", GuestsRequest.Parser, (request, ct) => Explained(() => Guests(request, ct)))
        .Add(Name, "Flows", FlowsRequest.Parser, (request, ct) => Explained(() => Flows(request, ct)))
        .Add(Name, "Capture", CaptureRequest.Parser, (request, ct) => Explained(() => _capture.Begin(request, ct)))
        .Add(Name, "ReadCapture", ReadCaptureRequest.Parser, (_, ct) => _capture.Read(ct))
        .Add(Name, "Forward", ForwardRequest.Parser, (request, ct) => Explained(() => _forward.Begin(request, ct)))
        .Add(Name, "StopCapture", StopCaptureRequest.Parser, (_, _) => _capture.Stop());

    /// <summary>The connection has ended.</summary>
    public void Dispose()
    {
        _capture.Dispose();
        _forward.Dispose();
    }

    private async Task<IMessage> Guests(GuestsRequest request, CancellationToken ct)
    {
        var found = await guests.StatisticsAsync(request.Names).WaitAsync(ct).ConfigureAwait(false);
        return new GuestsResponse { Guests = { found.Select(one => Messages.Of(one.Guest, one.Statistics)) } };
    }

    private async Task<IMessage> Flows(FlowsRequest request, CancellationToken ct)
    {
        int limit = request.Limit is 0 or > LargestPage ? LargestPage : (int)request.Limit;
        var (flows, total) = await guests.FlowsAsync(request.Names, (int)Math.Min(request.Offset, int.MaxValue), limit).WaitAsync(ct).ConfigureAwait(false);
        return new FlowsResponse { Total = (uint)total, Flows = { flows.Select(one => Messages.Of(one.Guest, one.Flow)) } };
    }

    private static async Task<IMessage> Explained(Func<Task<IMessage>> call)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (NoSuchGuestException error)
        {
            throw new TtrpcException(StatusCode.NotFound, error.Message, error);
        }
        catch (FormatException error)
        {
            throw new TtrpcException(StatusCode.InvalidArgument, error.Message, error);
        }
    }
}
