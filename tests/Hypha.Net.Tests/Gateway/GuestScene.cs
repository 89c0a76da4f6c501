using Hypha.Net.Gateway;
using Hypha.Net.Loop;
using Hypha.Net.Nat;
using Hypha.Net.Policy;
using Hypha.Net.Switch;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Gateway;

/// <summary>A guest, 10.75.0.2 and fd75::2, and its neighbour, .3 and ::3, on one network; the gateway is .1 and ::1. Their links are memory.</summary>
internal sealed class GuestScene : IDisposable
{
    public static readonly MacAddress Mac = new(0x0275_0A4B_0002), OtherMac = new(0x0275_0A4B_0003);

    public GuestScene(NatLimits? limits = null, string policy = "", IReadOnlyList<PublishedPort>? published = null, string[]? dns = null)
    {
        Configuration = Configure(Mac, "10.75.0.2/16", "fd75::2/64", "first") with
        {
            Limits = limits ?? new NatLimits(),
            Policy = NetworkPolicy.Parse(policy),
            Published = published ?? [],
            Dns = [.. (dns ?? ["192.0.2.99"]).Select(Frames.Address)],
        };
        Guest = new Attachment(Loop, Link, Configuration, Network);
        Other = new Attachment(Loop, OtherLink, Configure(OtherMac, "10.75.0.3/16", "fd75::3/64", "second"), Network);
        Assert.True(Network.TryAdd(Guest) && Network.TryAdd(Other));
        Guest.Publish();
    }

    public EventLoop Loop { get; } = new();

    public NetworkSwitch Network { get; } = new("default");

    public MemoryLink Link { get; } = new();

    public MemoryLink OtherLink { get; } = new();

    public GuestConfiguration Configuration { get; }

    public MacAddress GatewayMac => Configuration.GatewayMac;

    public Attachment Guest { get; }

    public Attachment Other { get; }

    /// <summary>The guest sends an IP packet by the gateway.</summary>
    public void Send(byte[] packet) => Guest.Receive(default, Frames.Ip(GatewayMac, Mac, packet), Loop.Now);

    /// <summary>The guest sends an IP packet to its neighbour.</summary>
    public void SendToOther(byte[] packet) => Guest.Receive(default, Frames.Ip(OtherMac, Mac, packet), Loop.Now);

    public void Dispose()
    {
        Guest.Dispose();
        Other.Dispose();
        // Whoever goes leaves nothing behind.
        Assert.Equal(0, Loop.Timers.Count);
        Loop.Dispose();
    }

    private static GuestConfiguration Configure(MacAddress mac, string v4, string v6, string name)
    {
        Assert.True(Subnet.TryParse(v4, out Subnet subnet) & Subnet.TryParse(v6, out Subnet subnet6));
        return new GuestConfiguration { Mac = mac, V4 = subnet, V6 = subnet6, GatewayV4 = Frames.Address("10.75.0.1"), GatewayV6 = Frames.Address("fd75::1"), Names = [name] };
    }
}
