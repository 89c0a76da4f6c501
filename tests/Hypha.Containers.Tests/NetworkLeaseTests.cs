using Hypha.Containers.Life;
using Hypha.Containers.Network;
using Hypha.Containers.Records;

namespace Hypha.Containers.Tests;

public sealed class NetworkLeaseTests
{
    private static readonly GuestSubnet s_subnet = GuestSubnet.Default;

    [Fact]
    public void The_first_free_number_is_a_members_in_both_families_and_its_MAC()
    {
        NetworkLease first = s_subnet.Lease(new NetworkWishes(), []);
        Assert.Equal(("10.75.0.2/16", "fd75::2/64", "02:75:0a:4b:00:02"), (first.Address, first.Address6, first.Mac));
        Assert.Equal(("10.75.0.1", "fd75::1"), (first.Gateway, first.Gateway6));
        NetworkLease second = s_subnet.Lease(new NetworkWishes(), [first]);
        Assert.Equal("10.75.0.3", second.Ip);
        // One that was in between and has gone leaves its place to the next.
        NetworkLease third = s_subnet.Lease(new NetworkWishes(), [first, second]);
        Assert.Equal("10.75.0.3", s_subnet.Lease(new NetworkWishes(), [first, third]).Ip);
    }

    [Fact]
    public void What_was_wished_is_given_when_it_is_free()
    {
        var wishes = new NetworkWishes { Ip = "10.75.200.1", Ip6 = "fd75::cafe", Mac = "02:00:00:00:00:07" };
        NetworkLease lease = s_subnet.Lease(wishes, []);
        Assert.Equal(("10.75.200.1/16", "fd75::cafe/64", "02:00:00:00:00:07"), (lease.Address, lease.Address6, lease.Mac));
        Assert.Equal(ContainerError.AlreadyExists, Assert.Throws<ContainerException>(() => s_subnet.Lease(wishes, [lease])).Error);
        Assert.Equal(ContainerError.AlreadyExists, Assert.Throws<ContainerException>(() => s_subnet.Lease(new NetworkWishes { Mac = lease.Mac }, [lease])).Error);
        Assert.Equal(ContainerError.AlreadyExists, Assert.Throws<ContainerException>(() => s_subnet.Lease(new NetworkWishes { Ip6 = "fd75::cafe" }, [lease])).Error);
    }

    [Theory]
    [InlineData("10.75.0.0")]
    [InlineData("10.75.0.1")]
    [InlineData("10.75.255.255")]
    [InlineData("10.76.0.2")]
    [InlineData("192.0.2.1")]
    [InlineData("10.75.2")]
    [InlineData("fd75::2")]
    public void An_address_that_no_member_can_have_is_refused(string ip) =>
        Assert.Equal(ContainerError.InvalidArgument, Assert.Throws<ContainerException>(() => s_subnet.Lease(new NetworkWishes { Ip = ip }, [])).Error);

    [Theory]
    [InlineData("none", "10.75.0.9", "", "", "")]
    [InlineData("", "", "01:00:00:00:00:01", "", "")]
    [InlineData("", "", "02:00:48:59:50:01", "", "")]
    [InlineData("", "", "02-00-00-00-00-01", "", "")]
    [InlineData("", "", "", "80", "")]
    [InlineData("", "", "", "0:80", "")]
    [InlineData("", "", "", "1-3:80-81", "")]
    [InlineData("", "", "", "65535-65536:1-2", "")]
    [InlineData("", "", "", "80:80/sctp", "")]
    [InlineData("", "", "", "::1:80:80", "")]
    [InlineData("", "", "", "", "name")]
    [InlineData("", "", "", "", "a b:192.0.2.1")]
    public void What_has_not_its_form_is_refused(string network, string ip, string mac, string publish, string addHost)
    {
        var wishes = new NetworkWishes { Network = network, Ip = ip, Mac = mac, Publish = publish.Length > 0 ? [publish] : [], AddHost = addHost.Length > 0 ? [addHost] : [] };
        Assert.Equal(ContainerError.InvalidArgument, Assert.Throws<ContainerException>(wishes.Check).Error);
    }

    [Theory]
    [InlineData("8080:80")]
    [InlineData("127.0.0.1:8080:80/tcp")]
    [InlineData("[::1]:53:53/udp")]
    [InlineData("8000-8010:9000-9010")]
    public void What_has_is_taken(string publish) => new NetworkWishes { Publish = [publish] }.Check();

    [Fact]
    public void A_port_of_the_host_leads_to_one_container()
    {
        var set = new ContainerSet();
        ContainerId first = ContainerId.New(), second = ContainerId.New();
        set.Lease(s_subnet, new NetworkWishes { Publish = ["8000-8010:80-90"] }, first);
        foreach (string taken in (string[])["8010:1", "127.0.0.1:8005:1", "7990-8000:1-11"])
            Assert.Equal(ContainerError.AlreadyExists, Assert.Throws<ContainerException>(() => set.Lease(s_subnet, new NetworkWishes { Publish = [taken] }, second)).Error);
        // The other protocol's ports are others; and a launch that failed gives back what it had.
        set.Lease(s_subnet, new NetworkWishes { Publish = ["8010:1/udp"] }, second);
        set.Free(first);
        set.Lease(s_subnet, new NetworkWishes { Publish = ["8010:1"] }, ContainerId.New());
    }
}
