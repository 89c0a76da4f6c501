using System.Diagnostics.CodeAnalysis;
using Hypha.Net.Gateway;
using Hypha.Net.Wire;

namespace Hypha.Net.Switch;

/// <summary>
/// The members of one network, by who they are. All that a member may be is known before it speaks, so nothing is learnt from frames, and
/// nothing is ever flooded: who asks for a member is told by the gateway, and what is for nobody here goes nowhere. A group is heard by those who said
/// that they are in it.
/// </summary>
public sealed class NetworkSwitch(string name)
{
    private readonly Dictionary<MacAddress, Attachment> _byMac = [];
    private readonly Dictionary<IpAddress, Attachment> _byAddress = [];

    internal MulticastGroups Groups { get; } = new();

    public string Name => name;

    public int Count => _byMac.Count;

    /// <summary>All members, in no order.</summary>
    public IReadOnlyCollection<Attachment> Members => _byMac.Values;

    /// <returns>False when another member has the MAC or an address of it: that one was first.</returns>
    public bool TryAdd(Attachment member)
    {
        GuestConfiguration guest = member.Configuration;
        if (guest.Mac is not { } mac || _byMac.ContainsKey(mac) || mac == guest.GatewayMac || guest.Addresses.Any(_byAddress.ContainsKey))
            return false;
        _byMac.Add(mac, member);
        foreach (IpAddress address in guest.Addresses)
            _byAddress.Add(address, member);
        return true;
    }

    public void Remove(Attachment member)
    {
        if (!Has(member))
            return;
        _byMac.Remove(member.Configuration.Mac!.Value);
        foreach (IpAddress address in member.Configuration.Addresses)
            _byAddress.Remove(address);
        member.LeaveGroups();
    }

    internal bool Has(Attachment member) => member.Configuration.Mac is { } mac && _byMac.TryGetValue(mac, out Attachment? present) && present == member;

    public bool TryFind(MacAddress mac, [NotNullWhen(true)] out Attachment? member) => _byMac.TryGetValue(mac, out member);

    public bool TryFind(IpAddress address, [NotNullWhen(true)] out Attachment? member) => _byAddress.TryGetValue(address, out member);
}
