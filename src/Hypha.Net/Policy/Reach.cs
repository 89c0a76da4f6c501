using Hypha.Net.Wire;

namespace Hypha.Net.Policy;

/// <summary>What no guest may reach: what is the host's own, or a cloud's to the host alone, in whatever clothes.</summary>
public static class Reach
{
    /// <summary>Where clouds tell a machine its secrets over IPv6 (fd00:ec2::254); over IPv4 it is link-local.</summary>
    private static readonly IpAddress s_metadata6 = new(0xFD00_0EC2_0000_0000, 0x254);

    public static bool Allows(IpAddress destination) => destination.IsV4 ? AllowsV4(destination) : AllowsV6(destination);

    private static bool AllowsV4(IpAddress destination)
    {
        uint first = destination.V4 >> 24;
        // 0/8 is "this host" (RFC 1122 3.2.1.3), 240/4 reserved, with the broadcast address at its end (RFC 1112 4).
        return first is not (0 or 127) && first < 240 && !destination.IsLinkLocal && !destination.IsMulticast;
    }

    private static bool AllowsV6(IpAddress destination)
    {
        if (destination.IsUnspecified || destination.IsLoopback || destination.IsLinkLocal || destination.IsMulticast || destination == s_metadata6)
            return false;
        // IPv4 inside: compatible (RFC 4291 2.5.5.1), NAT64 (RFC 6052 2.1, 64:ff9b::/96), 6to4 (RFC 3056 2, 2002::/16).
        if (destination.High == 0 && destination.Low >> 32 == 0)
            return false;
        if (destination.High == 0x0064_FF9B_0000_0000 && destination.Low >> 32 == 0)
            return AllowsV4(IpAddress.OfV4((uint)destination.Low));
        if (destination.High >> 48 == 0x2002)
            return AllowsV4(IpAddress.OfV4((uint)(destination.High >> 16)));
        return true;
    }
}
