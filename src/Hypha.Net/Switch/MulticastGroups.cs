using System.Runtime.InteropServices;
using Hypha.Net.Gateway;
using Hypha.Net.Tcp;
using Hypha.Net.Wire;

namespace Hypha.Net.Switch;

/// <summary>A member's place in a group; linked with the others' through itself.</summary>
internal sealed class Membership(Attachment member)
{
    public Attachment Member => member;

    public IpAddress Group { get; set; }

    /// <summary>When it is over, unless the member says again that it is there.</summary>
    public long Expires { get; set; }

    public Membership? Previous { get; set; }

    public Membership? Next { get; set; }
}

/// <summary>Which members of a network are in which group. No group is here without a member; a group that is not here has none, and nobody hears it.</summary>
internal sealed class MulticastGroups
{
    private readonly Dictionary<IpAddress, Entry> _groups = new(new SecretOrder());

    public int Count => _groups.Count;

    /// <returns>The first of the group's members; null when it has none.</returns>
    /// <param name="count">Of them.</param>
    public Membership? Find(IpAddress group, out int count)
    {
        _groups.TryGetValue(group, out Entry entry);
        count = entry.Count;
        return entry.First;
    }

    public void Add(Membership membership)
    {
        ref Entry entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_groups, membership.Group, out _);
        membership.Previous = null;
        membership.Next = entry.First;
        if (entry.First is not null)
            entry.First.Previous = membership;
        entry.First = membership;
        entry.Count++;
    }

    public void Remove(Membership membership)
    {
        if (membership.Next is not null)
            membership.Next.Previous = membership.Previous;
        if (membership.Previous is not null)
            membership.Previous.Next = membership.Next;
        ref Entry entry = ref CollectionsMarshal.GetValueRefOrNullRef(_groups, membership.Group);
        if (entry.First == membership)
            entry.First = membership.Next;
        membership.Previous = membership.Next = null;
        if (--entry.Count == 0)
            _groups.Remove(membership.Group);
    }

    /// <summary>
    /// Whether members may speak to each other by a group. All systems, all routers and who listens to reports are the gateway's to speak to, and so are
    /// neighbour discovery and DHCP; nobody need join the first (RFC 3376 6, RFC 3810 6), and every host is in one of each of its addresses.
    /// </summary>
    public static bool IsForMembers(IpAddress group)
    {
        if (group.IsV4)
            return group.V4 is not (0xE000_0000 or 0xE000_0001 or 0xE000_0002 or 0xE000_0016);
        // RFC 4291 2.7: reserved, and a host's own.
        if ((group.High >> 48 & 0xF) is 0 or 1)
            return false;
        return group.High switch
        {
            // 2.7.1: all nodes, all routers, solicited nodes; RFC 3810 5.2.14, RFC 8415 7.1.
            0xFF02_0000_0000_0000 => group.Low is not (1 or 2 or 0x16 or 0x1_0002) && group.Low >> 24 != 0x1_FF,
            0xFF05_0000_0000_0000 => group.Low is not (2 or 0x1_0003),
            _ => true,
        };
    }

    private struct Entry
    {
        public Membership? First;
        public int Count;
    }

    /// <summary>Nobody can choose groups that fall into one place.</summary>
    private sealed class SecretOrder : IEqualityComparer<IpAddress>
    {
        public bool Equals(IpAddress one, IpAddress other) => one == other;

        public int GetHashCode(IpAddress group) => (int)KeyedHash.OfTable(group);
    }
}
