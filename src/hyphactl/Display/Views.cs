using Hypha.Protocol.Control;

namespace Hypha.Ctl.Display;

// What --output json prints. Times are RFC 3339 in UTC; what is not known is left out.

internal sealed record ContainerView(
    string Id,
    string Name,
    string Image,
    string ImageDigest,
    string State,
    uint? Domain,
    IReadOnlyList<string> Command,
    DateTimeOffset? Created,
    DateTimeOffset? Started,
    DateTimeOffset? Finished,
    ExitView? Exit,
    uint Cpus,
    ulong MemoryMib)
{
    public static ContainerView From(Container container) => new(
        container.Id,
        container.Name,
        container.Image,
        container.ImageDigest,
        StateName(container.State),
        container.Domain == 0 ? null : container.Domain,
        container.Command,
        UnixTime.OrNull(container.CreatedUnixMs),
        UnixTime.OrNull(container.StartedUnixMs),
        UnixTime.OrNull(container.FinishedUnixMs),
        container.Exit is null ? null : new ExitView(container.Exit.Code, container.Exit.Signal == 0 ? null : container.Exit.Signal,
            container.Exit.Message.Length == 0 ? null : container.Exit.Message),
        container.Vcpus,
        container.MemoryMib);

    public static string StateName(ContainerState state) => state switch
    {
        ContainerState.Creating => "creating",
        ContainerState.Running => "running",
        ContainerState.Exited => "exited",
        ContainerState.Failed => "failed",
        _ => "unknown",
    };
}

internal sealed record ExitView(uint Code, uint? Signal, string? Message);

internal sealed record ImageView(string Digest, IReadOnlyList<string> References, ulong Size, DateTimeOffset? Created);

internal sealed record NetworkView(
    string Name,
    string Subnet,
    string Subnet6,
    string Gateway,
    string Gateway6,
    bool Internal,
    DateTimeOffset? Created,
    uint Containers,
    IReadOnlyList<MemberView>? Members)
{
    public static NetworkView From(Network network, IEnumerable<NetworkMember>? members) => new(
        network.Name,
        network.Subnet,
        network.Subnet6,
        network.Gateway,
        network.Gateway6,
        network.Internal,
        UnixTime.OrNull(network.CreatedUnixMs),
        network.Size,
        members?.Select(member => new MemberView(member.Id, member.Name, member.Address, member.Address6, member.Mac, ContainerView.StateName(member.State))).ToArray());
}

internal sealed record MemberView(string Id, string Name, string Address, string Address6, string Mac, string State);

internal sealed record HostView(
    string XenVersion,
    string KernelVersion,
    string HyphadVersion,
    uint Cpus,
    ulong TotalMemoryMib,
    ulong FreeMemoryMib,
    uint Running,
    uint Ended,
    uint DomctlVersion,
    uint SysctlVersion,
    string CommandLine,
    string DefaultKernel,
    string DefaultInitrd);

internal sealed record CheckView(string Name, bool Ok, string Detail, string? Advice);

internal sealed record VersionView(string Hyphactl, string? Hyphad);

internal static class UnixTime
{
    // Zero is "not yet"; a value out of range is a broken daemon's and must not break the listing.
    private static readonly long Last = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    public static DateTimeOffset? OrNull(long milliseconds) =>
        milliseconds > 0 && milliseconds <= Last ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;
}
