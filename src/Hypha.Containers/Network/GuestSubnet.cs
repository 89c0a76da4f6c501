using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Hypha.Containers.Network;

/// <summary>A network's addresses in both families, and how its members get theirs: the same number in each.</summary>
/// <param name="Name">"default".</param>
/// <param name="V4">At most 2^24 addresses.</param>
/// <param name="V6">64 bits.</param>
/// <param name="Internal">Without a way out.</param>
public sealed record GuestSubnet(string Name, IPNetwork V4, IPNetwork V6, bool Internal = false)
{
    private const uint GatewayNumber = 1, FirstMember = 2;

    public static GuestSubnet Default { get; } = new("default", IPNetwork.Parse("10.75.0.0/16"), IPNetwork.Parse("fd75::/64"));

    public IPAddress Gateway => V4Of(GatewayNumber);

    public IPAddress Gateway6 => V6Of(GatewayNumber);

    private uint Members => (1u << (32 - V4.PrefixLength)) - 1; // the last is to all of the network

    /// <summary>Finds a place that nobody has.</summary>
    /// <param name="taken">The leases of all containers.</param>
    /// <param name="macs">MACs that containers took along to other networks, or to none: they may come back.</param>
    /// <exception cref="ContainerException">InvalidArgument, AlreadyExists, ResourceExhausted.</exception>
    public NetworkLease Lease(NetworkWishes wishes, IReadOnlyCollection<NetworkLease> taken, IReadOnlySet<string>? macs = null)
    {
        NetworkLease[] here = [.. taken.Where(lease => lease.Network == Name)];
        var numbers = here.Select(lease => NumberOf(IPAddress.Parse(lease.Ip))).ToHashSet();
        uint number = wishes.Ip.Length > 0 ? Wished(wishes.Ip) : FirstMember;
        if (wishes.Ip.Length == 0)
        {
            while (numbers.Contains(number) || (wishes.Mac.Length == 0 && macs is not null && macs.Contains(MacOf(V4Of(number)))))
                number++;
            if (number >= Members)
                throw new ContainerException(ContainerError.ResourceExhausted, $"the network \"{Name}\" ({V4}) has no free address. Remove containers that have ended: hyphactl destroy");
        }
        IPAddress address = V4Of(number);
        string mac = wishes.Mac.Length > 0 ? wishes.Mac : MacOf(address);
        IPAddress address6 = wishes.Ip6.Length > 0 ? Wished6(wishes.Ip6) : V6Of(number);
        foreach (NetworkLease lease in here)
        {
            if (lease.Ip == address.ToString() || lease.Ip6 == address6.ToString() || lease.Mac == mac)
                throw new ContainerException(ContainerError.AlreadyExists,
                    $"{(lease.Mac == mac ? mac : lease.Ip == address.ToString() ? address : address6)} is another container's on the network \"{Name}\". Choose another, or none.");
        }
        return new NetworkLease(Name, mac, $"{address}/{V4.PrefixLength}", Gateway.ToString(), $"{address6}/{V6.PrefixLength}", Gateway6.ToString())
        {
            Internal = Internal,
            Publish = wishes.Publish,
            Dns = wishes.Dns,
            AddHost = wishes.AddHost,
            Policy = wishes.Policy,
        };
    }

    private uint Wished(string text)
    {
        if (!IPAddress.TryParse(text, out IPAddress? address) || address.AddressFamily != AddressFamily.InterNetwork || address.ToString() != text)
            throw new ContainerException(ContainerError.InvalidArgument, $"--ip: \"{text}\" is no IPv4 address.");
        uint number = NumberOf(address);
        return V4.Contains(address) && number >= FirstMember && number < Members ? number
            : throw new ContainerException(ContainerError.InvalidArgument,
                $"--ip: {text} is no member's address of the network \"{Name}\": those are {V4Of(FirstMember)} to {V4Of(Members - 1)}.");
    }

    private IPAddress Wished6(string text)
    {
        if (!IPAddress.TryParse(text, out IPAddress? address) || address.AddressFamily != AddressFamily.InterNetworkV6 || address.ScopeId != 0)
            throw new ContainerException(ContainerError.InvalidArgument, $"--ip6: \"{text}\" is no IPv6 address.");
        return V6.Contains(address) && !address.Equals(V6.BaseAddress) && !address.Equals(Gateway6) ? address
            : throw new ContainerException(ContainerError.InvalidArgument, $"--ip6: {text} is no member's address of the network \"{Name}\" ({V6}).");
    }

    private uint NumberOf(IPAddress address) => Bits(address) - Bits(V4.BaseAddress);

    private static uint Bits(IPAddress address) => BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());

    private IPAddress V4Of(uint number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Bits(V4.BaseAddress) + number);
        return new IPAddress(bytes);
    }

    private IPAddress V6Of(uint number)
    {
        byte[] bytes = V6.BaseAddress.GetAddressBytes();
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(12), number);
        return new IPAddress(bytes);
    }

    /// <summary>Locally administered (IEEE 802, bit 1 of the first byte), and as unique as the address.</summary>
    private static string MacOf(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        return $"02:75:{bytes[0]:x2}:{bytes[1]:x2}:{bytes[2]:x2}:{bytes[3]:x2}";
    }
}
