using Google.Protobuf;

namespace Hypha.Ttrpc;

/// <summary>Answers one method. The token ends with the connection, or at the deadline that the caller gave.</summary>
public delegate Task<IMessage> Handler(ByteString request, CancellationToken ct);

/// <summary>What a server answers: methods by service and name. Filled before it serves, then only read.</summary>
public sealed class TtrpcServices
{
    private readonly Dictionary<(string Service, string Method), Handler> _handlers = [];

    public TtrpcServices Add(string service, string method, Handler handler)
    {
        _handlers.Add((service, method), handler);
        return this;
    }

    /// <summary>As <see cref="Add(string, string, Handler)"/>, with the request decoded; one that cannot be is answered with InvalidArgument.</summary>
    public TtrpcServices Add<TRequest>(
        string service, string method, MessageParser<TRequest> parser, Func<TRequest, CancellationToken, Task<IMessage>> handler)
        where TRequest : IMessage<TRequest> =>
        Add(service, method, (bytes, ct) =>
        {
            try
            {
                return handler(parser.ParseFrom(bytes), ct);
            }
            catch (InvalidProtocolBufferException e)
            {
                throw new TtrpcException(StatusCode.InvalidArgument, $"{service}/{method}: the request cannot be read: {e.Message}", e);
            }
        });

    internal Handler? Find(string service, string method) => _handlers.GetValueOrDefault((service, method));
}
