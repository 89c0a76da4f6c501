using Hypha.Net.Loop;
using Hypha.Net.Switch;
using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>
/// The groups that a guest is in, by its own reports (RFC 4541 2.1.1 and 3). While there are any the gateway asks it at times whether it still is (RFC 3376
/// 6.1 and 8, RFC 3810 9): at the same moment for all guests, so that one wake-up does for them. A guest in no group costs none.
/// </summary>
internal sealed class GroupMember(Attachment guest, GuestConfiguration configuration, GuestOutput output, TimerWheel timers, NetworkSwitch network) : Hypha.Net.Loop.Timer
{
    /// <summary>How many groups a guest may be in.</summary>
    public const int Limit = 64;

    public const long QueryInterval = 125 * MonotonicClock.Second; // RFC 3376 8.2

    private const byte Robustness = 2; // RFC 3376 8.1: as many reports in a row may be lost, less one
    private const int ResponseTime = 10, FirstResponseTime = 1; // seconds

    /// <summary>RFC 3376 8.4: the group membership interval.</summary>
    public const long Lifetime = Robustness * QueryInterval + ResponseTime * MonotonicClock.Second;

    private static readonly IpAddress s_allSystems = IpAddress.OfV4(0xE000_0001);

    private readonly IpAddress _linkLocal = IpAddress.LinkLocalOf(configuration.GatewayMac);

    /// <summary>The first <see cref="Count"/> are in use; the others are kept for the next.</summary>
    private Membership?[] _memberships = [];

    /// <summary>None expires before, so that who is told no again and again costs little.</summary>
    private long _firstExpires = long.MaxValue;

    public int Count { get; private set; }

    /// <summary>Joins a group, or stays in it.</summary>
    /// <returns>False when the guest is in as many as it may be.</returns>
    public bool TryJoin(IpAddress group, long now)
    {
        // Who has left the network, or was not taken, is in no group of it.
        if (!MulticastGroups.IsForMembers(group) || !network.Has(guest))
            return true;
        int place = IndexOf(group);
        if (place >= 0)
        {
            _memberships[place]!.Expires = now + Lifetime;
            return true;
        }
        if (Count == Limit)
            RemoveExpired(now);
        if (Count == Limit)
            return false;
        if (_memberships.Length == 0)
            _memberships = new Membership?[Limit];
        Membership membership = _memberships[Count++] ??= new Membership(guest);
        membership.Group = group;
        membership.Expires = now + Lifetime;
        _firstExpires = Math.Min(_firstExpires, membership.Expires);
        network.Groups.Add(membership);
        if (Count == 1)
            timers.Set(this, NextQuery(now));
        return true;
    }

    /// <summary>At once: there is nobody else behind the guest's link who could be in the group (RFC 4541 2.1.1, 1.c).</summary>
    public void Leave(IpAddress group)
    {
        if (IndexOf(group) is >= 0 and int place)
            RemoveAt(place);
    }

    public void Clear()
    {
        while (Count > 0)
            RemoveAt(Count - 1);
    }

    /// <summary>Asks a guest that may have joined groups before anybody listened.</summary>
    public void AskFirst() => Ask(v4: true, v6: true, FirstResponseTime);

    protected internal override void Expire(long now)
    {
        RemoveExpired(now);
        if (Count == 0)
            return;
        bool v4 = false, v6 = false;
        for (int i = 0; i < Count; i++)
        {
            v4 |= _memberships[i]!.Group.IsV4;
            v6 |= !_memberships[i]!.Group.IsV4;
        }
        Ask(v4, v6, ResponseTime);
        timers.Set(this, NextQuery(now));
    }

    private static long NextQuery(long now) => (now / QueryInterval + 1) * QueryInterval;

    private int IndexOf(IpAddress group)
    {
        if (network.Groups.Find(group, out _) is null)
            return -1;
        for (int i = 0; i < Count; i++)
        {
            if (_memberships[i]!.Group == group)
                return i;
        }
        return -1;
    }

    private void RemoveExpired(long now)
    {
        if (now < _firstExpires)
            return;
        _firstExpires = long.MaxValue;
        for (int i = Count - 1; i >= 0; i--)
        {
            long expires = _memberships[i]!.Expires;
            if (expires <= now)
                RemoveAt(i);
            else
                _firstExpires = Math.Min(_firstExpires, expires);
        }
    }

    private void RemoveAt(int place)
    {
        network.Groups.Remove(_memberships[place]!);
        Count--;
        (_memberships[place], _memberships[Count]) = (_memberships[Count], _memberships[place]);
        if (Count == 0)
            timers.Clear(this);
    }

    private void Ask(bool v4, bool v6, int seconds)
    {
        Span<byte> packet = stackalloc byte[RouterAlert.SizeV6 + MldMessage.QuerySize];
        const byte Interval = (byte)(QueryInterval / MonotonicClock.Second);
        if (v4 && configuration.GatewayV4 is { } gateway)
        {
            int at = RouterAlert.WriteHeaders(packet, gateway, s_allSystems, IpProtocol.Igmp, IgmpMessage.QuerySize);
            IgmpMessage.WriteQuery(packet[at..], (byte)(seconds * 10), Robustness, Interval);
            output.TrySendPacket(packet[..(at + IgmpMessage.QuerySize)]);
        }
        if (v6 && configuration.GatewayV6 is not null)
        {
            int at = RouterAlert.WriteHeaders(packet, _linkLocal, Neighbors.AllNodes, IpProtocol.Icmp6, MldMessage.QuerySize);
            MldMessage.WriteQuery(packet[at..], _linkLocal, Neighbors.AllNodes, (ushort)(seconds * 1_000), Robustness, Interval);
            output.TrySendPacket(packet[..(at + MldMessage.QuerySize)]);
        }
    }
}
