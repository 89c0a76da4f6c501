namespace Hypha.Net.Wire;

/// <summary>Why bytes are no packet of their kind. Each is counted under its name.</summary>
public enum WireFault
{
    None,

    /// <summary>Fewer bytes than the header, or than a length in it says.</summary>
    Truncated,

    /// <summary>Another version or kind than the place calls for.</summary>
    Version,

    /// <summary>A header's length that its own fields contradict.</summary>
    HeaderLength,

    /// <summary>A length of the whole that leaves no room for the header.</summary>
    Length,

    Checksum,

    /// <summary>An address that no such packet may have.</summary>
    Address,

    /// <summary>Options whose lengths do not add up.</summary>
    Options,

    /// <summary>More extension headers than anybody sends.</summary>
    TooDeep,
}
