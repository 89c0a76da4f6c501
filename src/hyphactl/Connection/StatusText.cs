using Grpc.Core;

namespace Hypha.Ctl.Connection;

/// <summary>What a person reads of a call that failed.</summary>
internal static class StatusText
{
    public static string Of(RpcException error) => error switch
    {
        _ when ConnectionFailureIn(error) is { } failure => failure.Message,
        // hyphad's own statuses carry a sentence; those that the client's library makes carry an exception instead.
        { Status.DebugException: not null } =>
            "the connection to hyphad broke. Containers go on without it; see what it says with: journalctl -u hyphad",
        { StatusCode: StatusCode.Unimplemented } =>
            "hyphad does not know this request: it is older than hyphactl. After an upgrade: systemctl restart hyphad",
        { Status.Detail: { Length: > 0 } detail } => detail,
        _ => $"hyphad answered {error.StatusCode} and gave no reason.",
    };

    /// <summary>Why hyphad was not reached, if that is what failed.</summary>
    public static ConnectionFailure? ConnectionFailureIn(RpcException error)
    {
        for (var at = error.Status.DebugException; at is not null; at = at.InnerException)
        {
            if (at is ConnectionFailure failure)
                return failure;
        }
        return null;
    }
}
