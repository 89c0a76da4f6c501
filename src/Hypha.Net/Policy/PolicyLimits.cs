namespace Hypha.Net.Policy;

/// <summary>How much a guest may do, by its policy; null is as much as it can.</summary>
public sealed record PolicyLimits
{
    public static PolicyLimits None { get; } = new();

    /// <summary>Bytes of frames from the guest in a second.</summary>
    public long? Out { get; init; }

    /// <summary>Bytes of frames to the guest in a second.</summary>
    public long? In { get; init; }

    /// <summary>Frames from the guest in a second.</summary>
    public int? Packets { get; init; }

    /// <summary>TCP connections, whoever began them.</summary>
    public int? Flows { get; init; }

    /// <summary>TCP connections that are begun in a second.</summary>
    public int? New { get; init; }
}
