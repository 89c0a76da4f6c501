using Grpc.Core;
using Hypha.Containers.Network;
using Hypha.Protocol.Control;

namespace Hypha.Daemon;

/// <summary>The networks' part of the control API.</summary>
internal sealed partial class ControlService
{
    public override Task<CreateNetworkResponse> CreateNetwork(CreateNetworkRequest request, ServerCallContext context) =>
        Guarded(() =>
        {
            NetworkInfo network = engine.Networks.Create(request.Name, request.Subnet, request.Subnet6, request.Internal);
            return Task.FromResult(new CreateNetworkResponse { Network = Messages.ToNetwork(network, 0, []) });
        });

    public override Task<ListNetworksResponse> ListNetworks(ListNetworksRequest request, ServerCallContext context) =>
        Guarded(() =>
        {
            var response = new ListNetworksResponse();
            response.Networks.AddRange(engine.Networks.All.Select(network => Messages.ToNetwork(network, engine.Containers.MembersOf(network.Subnet.Name).Count, [])));
            return Task.FromResult(response);
        });

    public override Task<InspectNetworkResponse> InspectNetwork(InspectNetworkRequest request, ServerCallContext context) =>
        Guarded(() =>
        {
            NetworkInfo network = engine.Networks.Find(request.Network);
            var members = engine.Containers.MembersOf(network.Subnet.Name);
            return Task.FromResult(new InspectNetworkResponse { Network = Messages.ToNetwork(network, members.Count, members.Select(Messages.ToMember)) });
        });

    public override Task<RemoveNetworkResponse> RemoveNetwork(RemoveNetworkRequest request, ServerCallContext context) =>
        Guarded(() =>
        {
            engine.Networks.Remove(request.Network);
            return Task.FromResult(new RemoveNetworkResponse());
        });

    public override Task<ConnectNetworkResponse> ConnectNetwork(ConnectNetworkRequest request, ServerCallContext context) =>
        Guarded(async () =>
        {
            // Once begun it is carried through, even if the client goes.
            NetworkLease lease = await engine.ConnectAsync(request.Container,
                new NetworkWishes { Network = request.Network, Ip = request.Ip, Ip6 = request.Ip6 }, CancellationToken.None).ConfigureAwait(false);
            return new ConnectNetworkResponse { Address = lease.Ip, Address6 = lease.Ip6 };
        });

    public override Task<DisconnectNetworkResponse> DisconnectNetwork(DisconnectNetworkRequest request, ServerCallContext context) =>
        Guarded(async () =>
        {
            await engine.DisconnectAsync(request.Container, request.Network, CancellationToken.None).ConfigureAwait(false);
            return new DisconnectNetworkResponse();
        });
}
