namespace Hypha.Containers;

/// <summary>What kind of failure a caller sees; the control API maps it to a gRPC status.</summary>
public enum ContainerError
{
    InvalidArgument,
    NotFound,
    AlreadyExists,
    FailedPrecondition,
    ResourceExhausted,
    Unavailable,
    DeadlineExceeded,
    Internal,
}

/// <summary>
/// An operation on a container failed. The message is for a person: what was tried, on what, why it failed and, where
/// something can be done, what to do next.
/// </summary>
public sealed class ContainerException(ContainerError error, string message, Exception? cause = null) : Exception(message, cause)
{
    public ContainerError Error { get; } = error;
}
