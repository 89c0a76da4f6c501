using Hypha.Linux;
using Hypha.Net.Dns;
using Hypha.Net.Gateway;
using Hypha.Net.Link;
using Hypha.Net.Link.Netif;
using Hypha.Net.Loop;
using Hypha.Net.Switch;

namespace Hypha.Net.Guests;

/// <summary>All guests of this host that are served, and their networks. Its state is the loop's.</summary>
public sealed class GuestSet(EventLoop loop, Action<string> log) : IGuestReceiver, IDisposable
{
    private const int DefaultMtu = 1_500; // bytes

    private readonly Dictionary<Vif, (Attachment Attachment, NetworkSwitch Network)> _guests = [];
    private readonly Dictionary<string, NetworkSwitch> _networks = [];
    private readonly HostResolver _resolver = new();

    public int Count => _guests.Count;

    /// <summary>All of them, as of now; by the loop's thread.</summary>
    public IReadOnlyList<ServedGuest> Served() =>
        [.. _guests.Select(guest => new ServedGuest(guest.Key.InterfaceName, guest.Key.Domain, guest.Value.Network.Name, guest.Value.Attachment))];

    Task<bool> IGuestReceiver.Appeared(Vif vif, GuestNodes nodes, NetifPlace? place) => loop.PostAsync(() => Add(vif, nodes, place));

    Task IGuestReceiver.Gone(Vif vif) => loop.PostAsync(() => Remove(vif));

    void IGuestReceiver.Failed(Vif vif, string why) => log($"domain {vif.Domain}'s network cannot be served: {why}");

    public void Dispose()
    {
        foreach (Vif vif in _guests.Keys.ToArray())
            Remove(vif);
    }

    private bool Add(Vif vif, GuestNodes nodes, NetifPlace? place)
    {
        Remove(vif);
        if (!_networks.TryGetValue(nodes.Network, out NetworkSwitch? network))
            _networks.Add(nodes.Network, network = new NetworkSwitch(nodes.Network));
        try
        {
            ILink link = place is null ? new InterfaceLink(loop, vif.InterfaceName, nodes.Configuration.Mtu) : NetifLink.Open(loop, place, nodes.Configuration.Mtu ?? DefaultMtu, log);
            Attachment attachment;
            try
            {
                attachment = new Attachment(loop, link, nodes.Configuration, network, _resolver, line => log($"domain {vif.Domain}: {line}"));
            }
            catch
            {
                link.Dispose();
                throw;
            }
            if (!network.TryAdd(attachment))
            {
                attachment.Dispose();
                log($"domain {vif.Domain} is not served: its MAC or address is another guest's on the network \"{network.Name}\"");
                return false;
            }
            _guests.Add(vif, (attachment, network));
            attachment.Announce();
            // A port that somebody else has is no reason to leave the guest without a network.
            attachment.Publish(why => log($"domain {vif.Domain}: {why}"));
            log($"domain {vif.Domain} is on the network \"{network.Name}\" as {nodes.Configuration.V4?.Address} {nodes.Configuration.V6?.Address}");
            return true;
        }
        catch (IOException error)
        {
            log($"domain {vif.Domain}'s network cannot be served: {error.Message}");
            return false;
        }
    }

    private bool Remove(Vif vif)
    {
        if (!_guests.Remove(vif, out var guest))
            return false;
        guest.Network.Remove(guest.Attachment);
        guest.Attachment.Dispose();
        if (guest.Network.Count == 0)
            _networks.Remove(guest.Network.Name);
        log($"domain {vif.Domain} has left the network \"{guest.Network.Name}\"");
        return true;
    }
}
