using Hypha.Containers.Agent;
using Hypha.Containers.Console;
using Hypha.Containers.Devices;
using Hypha.Containers.Records;
using Hypha.Xen;

namespace Hypha.Containers.Life;

/// <summary>A container's domain: its console, its channel, its devices, and how it goes.</summary>
internal sealed class XenGuest(HostResources host, ContainerId id, DomainId domain, GuestConsole console,
    IReadOnlyList<IGuestDevice> devices) : IGuest
{
    private const int TailLines = 12;

    public Task<string> DomainEnded { get; } = host.Domains.WaitForEndAsync(domain, id.Value);

    public Task<IAgentConnection> ConnectAsync(int session, CancellationToken cancellation) =>
        new AgentConnector(host.Events, host.Store, domain, id).ConnectAsync(session, cancellation);

    public string ConsoleTail() => console.Log.Tail(TailLines);

    public async Task TearDownAsync()
    {
        // What the ring still holds is read first, and its page given back: else the domain would not die wholly.
        await console.DisposeAsync().ConfigureAwait(false);
        await GuestRemoval.RunAsync(host, id, domain).ConfigureAwait(false);
        foreach (var device in devices)
            device.Dispose();
    }

    public async ValueTask LeaveAsync()
    {
        await console.DisposeAsync().ConfigureAwait(false);
        foreach (var device in devices)
            device.Dispose();
    }
}
