namespace Hypha.Ttrpc;

/// <summary>How much one connection may hold, whatever the peer does.</summary>
public sealed record TtrpcLimits
{
    /// <summary>The protocol's own bound on a message (PROTOCOL.md: 4 MiB).</summary>
    public const int ProtocolMaxMessage = 4 << 20;

    public static readonly TtrpcLimits Default = new();

    /// <summary>Bytes of one message, header excluded, in both directions.</summary>
    public int MaxMessage { get; init; } = ProtocolMaxMessage;

    /// <summary>Calls begun and not yet answered. A client that has reached it fails the next call; a server closes the connection.</summary>
    public int MaxOutstanding { get; init; } = 128;

    /// <summary>Calls that the client gave up and the server has not answered yet. Past it the connection is closed.</summary>
    public int MaxForgotten { get; init; } = 1024;

    internal TtrpcLimits Checked()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxMessage);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxMessage, ProtocolMaxMessage);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxOutstanding);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxForgotten);
        return this;
    }
}
