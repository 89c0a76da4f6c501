using Hypha.Containers.Agent;
using Hypha.Containers.Devices;
using Hypha.Containers.Launch;
using Hypha.Containers.Network;
using Hypha.Containers.Records;
using Hypha.Protocol.Guest;
using Hypha.Ttrpc;
using Hypha.Xen;
using Hypha.XenStore;
using Microsoft.Extensions.Logging;

namespace Hypha.Containers.Life;

/// <summary>
/// Connects a running container to a network and disconnects it. Its interface and MAC stay; the lease in its record, its place in the store (for
/// hyphanet) and its address (by its agent) change, in this order, so that an address is nobody else's before it is used.
/// </summary>
internal sealed partial class NetworkMove(XenStoreClient store, NetworkSet networks, ContainerSet containers, ILogger logger)
{
    /// <summary>For the guest to say that it did as it was told.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(15);

    /// <param name="wishes">The network, and addresses on it.</param>
    /// <exception cref="ContainerException">Everything is undone.</exception>
    public async Task<NetworkLease> ConnectAsync(Container container, NetworkWishes wishes, CancellationToken cancellation)
    {
        await container.Moving.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ContainerRecord record = Running(container);
            if (wishes.Network == NetworkWishes.None)
                throw new ContainerException(ContainerError.InvalidArgument, $"\"{NetworkWishes.None}\" is no network. To be on none: hyphactl network disconnect");
            if (record.Network is { } present)
                throw new ContainerException(ContainerError.FailedPrecondition, $"it is on the network \"{present.Network}\", and has one interface. First: hyphactl network disconnect {present.Network} {record.Shown}");
            if (record.LeftNetwork is not { } left)
                throw new ContainerException(ContainerError.FailedPrecondition, "it was launched without a network, and has no interface. Launch it on one.");

            await using var undo = new UndoStack((what, error) => LogUndoFailed(logger, record.Shown, what, error));
            NetworkLease lease = networks.Lease(wishes with { Mac = left.Mac, Publish = left.Publish, Dns = left.Dns, AddHost = left.AddHost, Policy = left.Policy }, record.Id);
            undo.Push("freeing the address", () => containers.Free(record.Id));
            undo.Push("restoring the record", () => container.Update(now => now with { Network = null, LeftNetwork = left }));
            container.Update(now => now with { Network = lease, LeftNetwork = null });
            undo.Push("taking its place from the store", async () => await PlaceAsync(record, null, CancellationToken.None).ConfigureAwait(false));
            if (!await PlaceAsync(record, lease, cancellation).ConfigureAwait(false))
                throw new ContainerException(ContainerError.FailedPrecondition, "its guest is going.");
            await TellAsync(container, BundlePlan.Interface(lease), BundlePlan.NetworkFiles(record.Hostname, lease.AddHost, lease), cancellation).ConfigureAwait(false);
            undo.Commit();
            return lease;
        }
        finally
        {
            container.Moving.Release();
        }
    }

    /// <summary>From here on nobody hears the guest, whether it does as it is told or not.</summary>
    /// <exception cref="ContainerException">NotFound, FailedPrecondition.</exception>
    public async Task DisconnectAsync(Container container, string network, CancellationToken cancellation)
    {
        await container.Moving.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ContainerRecord record = Running(container);
            networks.Find(network);
            if (record.Network is not { } lease || lease.Network != network)
            {
                throw new ContainerException(ContainerError.FailedPrecondition,
                    $"it is {(record.Network is { } other ? $"on the network \"{other.Network}\"" : "on no network")}.");
            }
            await PlaceAsync(record, null, cancellation).ConfigureAwait(false);
            try
            {
                await TellAsync(container, new NetworkInterface { Mac = lease.Mac, Mtu = NetworkLease.Mtu },
                    BundlePlan.NetworkFiles(record.Hostname, lease.AddHost, null), cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (error is ContainerException or OperationCanceledException)
            {
                LogKeptAddress(logger, record.Shown, error.Message);
            }
            container.Update(now => now with { Network = null, LeftNetwork = lease });
            containers.Free(record.Id);
        }
        finally
        {
            container.Moving.Release();
        }
    }

    private static ContainerRecord Running(Container container) =>
        container.Record is { Ended: false, Domain: > 0 } record ? record
        : throw new ContainerException(ContainerError.FailedPrecondition, $"{container.Record.Shown} has ended.");

    private Task<bool> PlaceAsync(ContainerRecord record, NetworkLease? lease, CancellationToken cancellation) =>
        NetworkDevice.MoveAsync(store, new DomainId((ushort)record.Domain), record.Id.Value, lease, record.NetworkNames, cancellation);

    private async Task TellAsync(Container container, NetworkInterface network, IEnumerable<Protocol.Guest.File> files, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            GuestAgent agent = await container.AgentAsync(patience.Token).ConfigureAwait(false);
            await agent.SetNetworkAsync(network, files, patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ContainerException(ContainerError.DeadlineExceeded, $"its guest did not take the address within {Patience.TotalSeconds:0} s.");
        }
        catch (IOException error)
        {
            throw new ContainerException(ContainerError.Unavailable, $"its guest did not take the address: {GuestAgent.Printable(error.Message)}", error);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Container}: is on no network any more, but did not give up its address: {Why}")]
    private static partial void LogKeptAddress(ILogger logger, string container, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Container}: undoing a failed connection: {What} failed")]
    private static partial void LogUndoFailed(ILogger logger, string container, string what, Exception error);
}
