using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>Whose connection or mapping: the guest's address and port, and those of whom it speaks to.</summary>
public readonly record struct FlowKey(IpAddress Guest, ushort GuestPort, IpAddress Remote, ushort RemotePort)
{
    public override string ToString() => $"{Text(Guest, GuestPort)} {Text(Remote, RemotePort)}";

    private static string Text(IpAddress address, ushort port) => address.IsV4 ? $"{address}:{port}" : $"[{address}]:{port}";
}
