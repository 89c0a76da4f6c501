namespace Hypha.Ttrpc;

/// <summary>A call failed: the peer said so, or the connection ended before it answered (<see cref="StatusCode.Unavailable"/>).</summary>
public sealed class TtrpcException(StatusCode statusCode, string message, Exception? inner = null) : IOException(message, inner)
{
    public StatusCode StatusCode { get; } = statusCode;
}
