using Hypha.Containers.Devices;
using Hypha.Containers.Life;
using Hypha.Containers.Network;
using Hypha.Containers.Records;
using Hypha.Protocol.Guest;
using Hypha.Xen;
using Hypha.XenStore;
using Hypha.XenStore.Tests.Daemon;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hypha.Containers.Tests;

/// <summary>Against Xen's own xenstored, and an agent whose answers a test decides.</summary>
public sealed class NetworkMoveTests : IClassFixture<StoreDaemon>, IDisposable
{
    private static int s_lastDomain = 700;

    private readonly string _root = Directory.CreateTempSubdirectory("hypha-move").FullName;
    private readonly DomainId _domain = new((ushort)Interlocked.Increment(ref s_lastDomain));
    private readonly ContainerId _id = ContainerId.New();
    private readonly ContainerSet _containers = new();
    private readonly NetworkSet _networks;
    private readonly XenStoreClient _store;
    private readonly FakeGuest _guest;
    private readonly List<SetNetworkRequest> _told = [];

    public NetworkMoveTests(StoreDaemon daemon)
    {
        _store = daemon.Connect();
        _networks = new NetworkSet(Directory.CreateDirectory(Path.Combine(_root, "networks")).FullName, _containers, () => [], NullLogger.Instance);
        _networks.Create("back", "10.90.0.0/24", "fd90::/64", isInternal: true);
        _guest = new FakeGuest(_id)
        {
            SetNetwork = request =>
            {
                _told.Add(request);
                return Task.FromResult(new SetNetworkResponse());
            },
        };
    }

    private StorePath Place => StorePath.Domain(_domain.Value) / "hypha/network/0";

    private StorePath Change => new DevicePaths("vif", _domain, 0).Backend / "hypha-network";

    private NetworkMove Moves => new(_store, _networks, _containers, NullLogger.Instance) { Patience = TimeSpan.FromSeconds(1) };

    [Fact]
    public async Task A_container_that_left_its_network_has_no_place_and_takes_the_next_with_all_that_is_its_own()
    {
        using Container container = await Launch(new NetworkWishes { Publish = ["8080:80"], Policy = "default deny", AddHost = ["other:192.0.2.7"] });
        string mac = container.Record.Network!.Mac;

        await Moves.DisconnectAsync(container, "default", CancellationToken.None);
        Assert.Null(container.Record.Network);
        Assert.Null(await _store.TryReadAsync(Place / "network"));
        Assert.Equal("1", await _store.ReadAsync(Change));
        Assert.Equal((mac, 0, "# no network\n"), (_told[0].Network.Mac, _told[0].Network.Addresses.Count, File(0, "/etc/resolv.conf")));
        Assert.Empty(_containers.MembersOf("default"));

        NetworkLease lease = await Moves.ConnectAsync(container, new NetworkWishes { Network = "back" }, CancellationToken.None);
        Assert.Equal(("back", "10.90.0.2/24", "fd90::2/64", mac, true), (lease.Network, lease.Address, lease.Address6, lease.Mac, lease.Internal));
        Assert.Equal(("8080:80", "default deny"), (Assert.Single(lease.Publish), lease.Policy));
        var place = new List<string>();
        foreach (string name in (string[])["network", "address", "gateway", "address6", "internal", "names"])
            place.Add(await _store.ReadAsync(Place / name));
        Assert.Equal($"back 10.90.0.2/24 10.90.0.1 fd90::2/64 1 web host {_id.Short}", string.Join(' ', place));
        Assert.Equal("2", await _store.ReadAsync(Change));
        Assert.Equal($"n0,r{_domain.Value}", (await _store.GetPermissionsAsync(Place / "address")).ToString());
        Assert.Equal<string>(["10.90.0.2/24", "fd90::2/64"], _told[1].Network.Addresses);
        Assert.Equal("nameserver 10.90.0.1\nnameserver fd90::1\n", File(1, "/etc/resolv.conf"));
        Assert.Contains("10.90.0.2\thost\n", File(1, "/etc/hosts"), StringComparison.Ordinal);
        Assert.Contains("192.0.2.7\tother\n", File(1, "/etc/hosts"), StringComparison.Ordinal);

        // As the next daemon finds it.
        ContainerRecord kept = container.Directory.TryRead()!;
        Assert.Equal(("back", null), (kept.Network!.Network, kept.LeftNetwork));
    }

    [Fact]
    public async Task An_address_on_the_way_back_is_the_containers_own_although_others_were_launched_meanwhile()
    {
        using Container container = await Launch(new NetworkWishes());
        Assert.Equal("10.75.0.2", container.Record.Network!.Ip);
        await Moves.DisconnectAsync(container, "default", CancellationToken.None);
        NetworkLease other = _networks.Lease(new NetworkWishes(), ContainerId.New());
        Assert.NotEqual(container.Record.LeftNetwork!.Mac, other.Mac);
        await Moves.ConnectAsync(container, new NetworkWishes { Network = "back" }, CancellationToken.None);
        Assert.NotEqual(container.Record.Network!.Mac, _networks.Lease(new NetworkWishes(), ContainerId.New()).Mac);
        await Moves.DisconnectAsync(container, "back", CancellationToken.None);
        Assert.Equal("10.75.0.2", (await Moves.ConnectAsync(container, new NetworkWishes { Network = "default" }, CancellationToken.None)).Ip);
    }

    [Fact]
    public async Task What_cannot_be_done_is_refused_and_changes_nothing()
    {
        using Container container = await Launch(new NetworkWishes());
        await Refused(ContainerError.FailedPrecondition, "hyphactl network disconnect default web", () => Moves.ConnectAsync(container, new NetworkWishes { Network = "back" }, CancellationToken.None));
        await Refused(ContainerError.FailedPrecondition, "on the network \"default\"", () => Moves.DisconnectAsync(container, "back", CancellationToken.None));
        await Refused(ContainerError.NotFound, "no network \"nowhere\"", () => Moves.DisconnectAsync(container, "nowhere", CancellationToken.None));
        Assert.Empty(_told);
        await Moves.DisconnectAsync(container, "default", CancellationToken.None);
        await Refused(ContainerError.FailedPrecondition, "on no network", () => Moves.DisconnectAsync(container, "default", CancellationToken.None));
        await Refused(ContainerError.NotFound, "no network \"nowhere\"", () => Moves.ConnectAsync(container, new NetworkWishes { Network = "nowhere" }, CancellationToken.None));
        await Refused(ContainerError.InvalidArgument, "no member's address", () => Moves.ConnectAsync(container, new NetworkWishes { Network = "back", Ip = "10.75.0.9" }, CancellationToken.None));
        Assert.Empty(_containers.MembersOf("back"));

        container.Update(record => record with { LeftNetwork = null });
        await Refused(ContainerError.FailedPrecondition, "has no interface", () => Moves.ConnectAsync(container, new NetworkWishes { Network = "back" }, CancellationToken.None));
        container.Update(record => record with { State = ContainerState.Exited, Domain = 0 });
        await Refused(ContainerError.FailedPrecondition, "has ended", () => Moves.ConnectAsync(container, new NetworkWishes { Network = "back" }, CancellationToken.None));
    }

    [Theory]
    [InlineData("does not know the call", ContainerError.Unavailable)]
    [InlineData("refuses", ContainerError.Unavailable)]
    [InlineData("never answers", ContainerError.DeadlineExceeded)]
    public async Task A_guest_that_does_not_do_as_it_is_told_is_cut_off_all_the_same_and_connected_to_nothing(string what, ContainerError expected)
    {
        _guest.SetNetwork = what switch
        {
            "refuses" => _ => throw new Ttrpc.TtrpcException(Ttrpc.StatusCode.Internal, "no\u001b[2J"),
            "never answers" => _ => new TaskCompletionSource<SetNetworkResponse>().Task,
            _ => null,
        };
        using Container container = await Launch(new NetworkWishes());
        await Moves.DisconnectAsync(container, "default", CancellationToken.None);
        Assert.Null(await _store.TryReadAsync(Place / "network"));
        NetworkLease left = container.Record.LeftNetwork!;

        ContainerException error = await Refused(expected, "did not take the address", () => Moves.ConnectAsync(container, new NetworkWishes { Network = "back" }, CancellationToken.None));
        Assert.DoesNotContain(error.Message, char.IsControl);
        Assert.Null(await _store.TryReadAsync(Place / "network"));
        Assert.Equal((null, left.Mac), (container.Record.Network, container.Record.LeftNetwork!.Mac));
        Assert.Empty(_containers.MembersOf("back"));
    }

    [Fact]
    public async Task Another_domain_that_has_the_number_by_now_keeps_its_place()
    {
        using Container container = await Launch(new NetworkWishes());
        await _store.WriteAsync(new DevicePaths("vif", _domain, 0).Backend / DevicePaths.OwnerNode, Guid.NewGuid().ToString());
        await Moves.DisconnectAsync(container, "default", CancellationToken.None);
        Assert.Equal("default", await _store.ReadAsync(Place / "network"));
        await Refused(ContainerError.FailedPrecondition, "its guest is going", () => Moves.ConnectAsync(container, new NetworkWishes { Network = "back" }, CancellationToken.None));
        Assert.Equal("default", await _store.ReadAsync(Place / "network"));
    }

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private async Task<Container> Launch(NetworkWishes wishes)
    {
        NetworkLease lease = _networks.Lease(wishes, _id);
        var directory = new ContainerDirectory(_root, _id);
        directory.Create();
        var record = new ContainerRecord { Id = _id, Name = "web", Hostname = "host", Image = "image", State = ContainerState.Running, Domain = _domain.Value, Network = lease };
        var container = new Container(record, directory);
        container.Update(same => same);
        _containers.Add(container);
        container.AgentAnswers((await _guest.ConnectAsync(1, CancellationToken.None)).Agent);
        var nodes = new DomainNodes(_domain, _id.Value) { Name = "web", Image = "image", VCpus = 1, MemoryMiB = 64 };
        await using var undo = new UndoStack((_, _) => { });
        await new NetworkDevice(lease, record.NetworkNames, NetworkBackEnd.Kernel).PrepareAsync(nodes, undo, CancellationToken.None);
        await nodes.WriteAsync(_store);
        return container;
    }

    private string File(int request, string path) => _told[request].Files.Single(file => file.Path == path).Content.ToStringUtf8();

    private static async Task<ContainerException> Refused(ContainerError expected, string message, Func<Task> work)
    {
        var error = await Assert.ThrowsAsync<ContainerException>(work);
        Assert.Equal(expected, error.Error);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        return error;
    }
}
