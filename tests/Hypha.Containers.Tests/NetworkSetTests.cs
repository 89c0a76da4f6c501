using System.Net;
using Hypha.Containers.Life;
using Hypha.Containers.Network;
using Hypha.Containers.Records;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hypha.Containers.Tests;

public sealed class NetworkSetTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hypha-networks").FullName;
    private readonly ContainerSet _containers = new();
    private readonly List<IPNetwork> _host = [];

    [Fact]
    public void Subnets_are_the_next_that_neither_a_network_nor_the_host_has()
    {
        _host.AddRange([IPNetwork.Parse("10.76.1.0/26"), IPNetwork.Parse("10.76.2.7/32"), IPNetwork.Parse("10.76.4.0/23")]);
        NetworkSet networks = Open();
        networks.Create("given", "10.76.3.0/29", "fd75:2::/64", isInternal: false);
        Assert.Equal(["10.76.0.0/24", "10.76.6.0/24", "10.76.7.0/24"], Made("a", "b", "c").Select(made => made.V4.ToString()));
        Assert.Equal(["fd75:5::/64", "fd75:6::/64"], Made("d", "e").Select(made => made.V6.ToString()));
        Assert.Equal("fd75:1::/64", networks.Find("a").Subnet.V6.ToString());
        Assert.Equal("fd75:3::/64", networks.Find("b").Subnet.V6.ToString());

        IEnumerable<GuestSubnet> Made(params string[] names) => [.. names.Select(name => networks.Create(name, "", "", isInternal: false).Subnet)];
    }

    [Fact]
    public void A_host_that_has_the_whole_pool_is_told_to_give_a_subnet()
    {
        _host.Add(IPNetwork.Parse("10.0.0.0/8"));
        NetworkSet networks = Open();
        Assert.Equal(ContainerError.ResourceExhausted, Refused(() => networks.Create("a", "", "", isInternal: false)).Error);
        networks.Create("a", "192.168.7.0/24", "", isInternal: false);
    }

    [Theory]
    [InlineData("10.0.0.0/7", "")]
    [InlineData("192.168.0.0/30", "")]
    [InlineData("192.168.0.1/24", "")]
    [InlineData("192.168.0.0", "")]
    [InlineData("192.168/16", "")]
    [InlineData("192.168.0.0/24/1", "")]
    [InlineData("192.168.0.0/ 24", "")]
    [InlineData("127.0.0.0/24", "")]
    [InlineData("169.254.7.0/24", "")]
    [InlineData("224.0.0.0/8", "")]
    [InlineData("240.0.0.0/8", "")]
    [InlineData("fd00::/64", "")]
    [InlineData("", "10.9.0.0/16")]
    [InlineData("", "fd00:7::/48")]
    [InlineData("", "fd00:7::/80")]
    [InlineData("", "fd00:7::1/64")]
    [InlineData("", "fe80::/64")]
    [InlineData("", "ff02::/64")]
    [InlineData("", "::/64")]
    public void What_no_network_can_have_is_refused(string subnet, string subnet6) =>
        Assert.Equal(ContainerError.InvalidArgument, Refused(() => Open().Create("a", subnet, subnet6, isInternal: false)).Error);

    [Theory]
    [InlineData("8.0.0.0/8", "2001:db8::/64")] // public addresses are the user's to choose
    [InlineData("172.20.0.8/29", "FD00:7::/64")]
    public void What_a_network_can_have_is_given(string subnet, string subnet6)
    {
        GuestSubnet made = Open().Create("a", subnet, subnet6, isInternal: false).Subnet;
        Assert.Equal((subnet, subnet6.ToLowerInvariant()), (made.V4.ToString(), made.V6.ToString()));
    }

    [Theory]
    [InlineData("10.75.3.0/24", "", "10.75.0.0/16", "default")]
    [InlineData("10.0.0.0/8", "", "10.75.0.0/16", "default")]
    [InlineData("192.168.0.0/16", "", "192.168.7.0/24", "first")]
    [InlineData("", "fd00:7::/64", "fd00:7::/64", "first")]
    public void An_overlap_is_refused_with_whose_it_is(string subnet, string subnet6, string overlapped, string owner)
    {
        NetworkSet networks = Open();
        networks.Create("first", "192.168.7.0/24", "fd00:7::/64", isInternal: false);
        ContainerException error = Refused(() => networks.Create("second", subnet, subnet6, isInternal: false));
        Assert.Equal(ContainerError.AlreadyExists, error.Error);
        Assert.Contains($"overlaps {overlapped}, which is the network \"{owner}\"", error.Message, StringComparison.Ordinal);
        Assert.Equal(["default", "first"], networks.All.Select(network => network.Subnet.Name));
    }

    [Theory]
    [InlineData("none", ContainerError.InvalidArgument)]
    [InlineData("default", ContainerError.AlreadyExists)]
    [InlineData("a", ContainerError.AlreadyExists)]
    [InlineData("", ContainerError.InvalidArgument)]
    [InlineData("../a", ContainerError.InvalidArgument)]
    [InlineData("a b", ContainerError.InvalidArgument)]
    public void A_name_that_is_taken_reserved_or_none_is_refused(string name, ContainerError error)
    {
        NetworkSet networks = Open();
        networks.Create("a", "", "", isInternal: false);
        Assert.Equal(error, Refused(() => networks.Create(name, "", "", isInternal: false)).Error);
    }

    [Fact]
    public void The_next_daemon_finds_what_was_made_and_not_what_was_removed()
    {
        NetworkSet networks = Open();
        NetworkInfo kept = networks.Create("kept.json", "", "", isInternal: true);
        networks.Create("removed", "", "", isInternal: false);
        networks.Remove("removed");
        // Half written, of another name, and no record at all: none stops a daemon.
        File.WriteAllText(Path.Combine(_directory, "half.json"), "{\"name\":\"ha");
        File.WriteAllText(Path.Combine(_directory, "bad.json"), """{"name":"bad","subnet":"10.300.0.0/16","subnet6":"fd00::/64","internal":false,"created":"2026-01-01T00:00:00Z"}""");
        File.Copy(Path.Combine(_directory, "kept.json.json"), Path.Combine(_directory, "copy.json"));
        Assert.Equal([GuestSubnet.Default, kept.Subnet], Open().All.Select(network => network.Subnet));
        Assert.Equal(kept, Open().Find("kept.json"));
    }

    [Fact]
    public void A_lease_is_of_the_network_that_was_wished_for_and_keeps_it_from_being_removed()
    {
        NetworkSet networks = Open();
        networks.Create("back", "10.90.0.0/24", "fd90::/64", isInternal: true);
        ContainerId id = ContainerId.New();
        NetworkLease lease = networks.Lease(new NetworkWishes { Network = "back" }, id);
        Assert.Equal(("back", "10.90.0.2/24", "10.90.0.1", "fd90::2/64", "fd90::1", true), (lease.Network, lease.Address, lease.Gateway, lease.Address6, lease.Gateway6, lease.Internal));
        Assert.False(networks.Lease(new NetworkWishes(), ContainerId.New()).Internal);
        Assert.Equal((id, lease), _containers.MembersOf("back").Select(member => (member.Id, member.Lease)).Single());

        ContainerException error = Refused(() => networks.Remove("back"));
        Assert.Equal(ContainerError.FailedPrecondition, error.Error);
        Assert.StartsWith($"{id.Short} has a place on it.", error.Message, StringComparison.Ordinal);
        _containers.Free(id);
        networks.Remove("back");
        Assert.Equal(ContainerError.NotFound, Refused(() => networks.Lease(new NetworkWishes { Network = "back" }, id)).Error);
        Assert.Equal(ContainerError.NotFound, Refused(() => networks.Remove("back")).Error);
        Assert.Equal(ContainerError.FailedPrecondition, Refused(() => networks.Remove("default")).Error);
    }

    [Fact]
    public void The_smallest_network_has_five_places()
    {
        NetworkSet networks = Open();
        networks.Create("small", "10.90.0.8/29", "", isInternal: false);
        Assert.Equal(["10.90.0.10", "10.90.0.11", "10.90.0.12", "10.90.0.13", "10.90.0.14"],
            Enumerable.Range(0, 5).Select(_ => networks.Lease(new NetworkWishes { Network = "small" }, ContainerId.New()).Ip));
        Assert.Equal(ContainerError.ResourceExhausted, Refused(() => networks.Lease(new NetworkWishes { Network = "small" }, ContainerId.New())).Error);
    }

    [Fact]
    public void Routes_of_the_host_are_read_as_the_kernel_prints_them()
    {
        // A cloud's machine with docker on it, and a route to one host.
        string[] table =
        [
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
            "ens3\t00000000\t0202000A\t0003\t0\t0\t100\t00000000\t0\t0\t0",
            "ens3\t0002000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0",
            "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
            "wg0\t0700640A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0",
            "half",
        ];
        Assert.Equal(["10.0.2.0/24", "172.17.0.0/16", "10.100.0.7/32"], HostRoutes.Parse(table).Select(network => network.ToString()));
        Assert.Contains(IPNetwork.Parse("127.0.0.1/32"), HostRoutes.Read());
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private NetworkSet Open() => new(_directory, _containers, () => _host, NullLogger.Instance);

    private static ContainerException Refused(Func<object> work) => Assert.Throws<ContainerException>(work);

    private static ContainerException Refused(Action work) => Assert.Throws<ContainerException>(work);
}
