namespace Hypha.Net.Gateway;

/// <summary>What a guest's frames were, and why some went no further.</summary>
public struct GuestCounters
{
    public ulong FramesIn, BytesIn;

    /// <summary>Not the format it says, or a wrong checksum.</summary>
    public ulong Malformed;

    /// <summary>From a MAC or address that is not the guest's, or as if from the gateway.</summary>
    public ulong Spoofed;

    /// <summary>To other members of the network; and those for which their link had no room.</summary>
    public ulong Forwarded, ForwardFailures;

    /// <summary>For nobody here.</summary>
    public ulong Ignored;

    /// <summary>Protocols that are not carried.</summary>
    public ulong Unsupported;

    /// <summary>Destinations that the policy forbids.</summary>
    public ulong Denied;

    /// <summary>What others began with it, by published ports or on its network, that the policy forbids.</summary>
    public ulong DeniedIn;

    /// <summary>Questions for names that the policy does not list.</summary>
    public ulong NamesRefused;

    /// <summary>Frames from and to the guest that were dropped since they were more than the policy's limits allow.</summary>
    public ulong LimitedOut, LimitedIn;

    /// <summary>Groups that it did not join since it is in as many as it may be; frames to groups that were too many with their copies, and reports of groups.</summary>
    public ulong GroupsOverLimit, GroupFramesOverLimit;

    /// <summary>TCP connections that were not begun since there were as many as may be, or as many new ones.</summary>
    public ulong FlowsOverLimit;
}

/// <summary>Frames to a guest, from whomever.</summary>
public struct OutputCounters
{
    public ulong Frames, Bytes;

    /// <summary>Frames for which its link had no room.</summary>
    public ulong Full;
}
