using Hypha.Net.Wire;

namespace Hypha.Net.Policy;

/// <summary>
/// What a guest may reach, and who may reach it: rules, the first that matches decides, then the default. Read from text, a rule a line:
/// <code>
/// allow|deny [tcp|udp|icmp] [to ADDRESS|NETWORK/N|name NAME|name *.NAME] [port N[-M][,…]]
/// allow|deny in [tcp|udp|icmp] [from ADDRESS|NETWORK/N] [port N[-M][,…]]
/// default [in] allow|deny
/// dns listed
/// limit out|in N[kbit|mbit|gbit]
/// limit packets|flows|new N
/// </code>
/// "#" begins a comment. What is out of everybody's reach (<see cref="Reach"/>) is allowed by a rule alone that has its address. A name's addresses
/// are those that the gateway's DNS gave the guest for it. What comes in by published ports, and what other members of the network begin, has the rules
/// with "in"; their ports are the guest's. With "dns listed" it answers for names alone that a rule allows. Limits are
/// <see cref="PolicyLimits"/>.
/// </summary>
public sealed class NetworkPolicy
{
    private readonly Rule[] _rules, _in;
    private readonly NamePattern[] _names;
    private readonly bool _default, _defaultIn;

    internal NetworkPolicy(Rule[] rules, Rule[] rulesIn, NamePattern[] names, bool byDefault, bool byDefaultIn, bool listedNames, PolicyLimits limits)
    {
        _rules = rules;
        _in = rulesIn;
        _names = names;
        _default = byDefault;
        _defaultIn = byDefaultIn;
        ListedNames = listedNames;
        Limits = limits;
    }

    /// <summary>No rules: all that is not out of reach.</summary>
    public static NetworkPolicy None { get; } = new([], [], [], byDefault: true, byDefaultIn: true, listedNames: false, PolicyLimits.None);

    /// <summary>Has rules by name.</summary>
    public bool HasNames => _names.Length > 0;

    /// <summary>Only names that a rule allows are answered for.</summary>
    public bool ListedNames { get; }

    public PolicyLimits Limits { get; }

    /// <exception cref="FormatException">With the line's number, what is wrong with it, and what belongs there.</exception>
    public static NetworkPolicy Parse(string text) => new PolicyParser().Parse(text);

    /// <param name="port">0 where the protocol has none.</param>
    public bool Allows(IpProtocol protocol, IpAddress destination, ushort port) => Allows(protocol, destination, port, null, 0);

    /// <param name="learned">What is known of the destination's names.</param>
    internal bool Allows(IpProtocol protocol, IpAddress destination, ushort port, LearnedName? learned, long now)
    {
        foreach (ref readonly Rule rule in _rules.AsSpan())
        {
            if (rule.Matches(protocol, destination, port, learned, now))
                return rule.Allow && (rule.IsByAddress || Reach.Allows(destination));
        }
        return _default && Reach.Allows(destination);
    }

    /// <summary>Whether no rule forbids a group: the default is for those who are in it.</summary>
    internal bool AllowsGroup(IpProtocol protocol, IpAddress group, ushort port)
    {
        foreach (ref readonly Rule rule in _rules.AsSpan())
        {
            if (rule.Matches(protocol, group, port, null, 0))
                return rule.Allow;
        }
        return true;
    }

    /// <summary>Whether somebody may begin to speak to the guest.</summary>
    /// <param name="port">The guest's; 0 where the protocol has none.</param>
    public bool AllowsIn(IpProtocol protocol, IpAddress source, ushort port)
    {
        foreach (ref readonly Rule rule in _in.AsSpan())
        {
            if (rule.Matches(protocol, source, port, null, 0))
                return rule.Allow;
        }
        return _defaultIn;
    }

    /// <summary>Whether a rule allows a name; of those that are denied nobody need know the addresses, unless others are let through.</summary>
    /// <param name="name">In small letters, as in a message.</param>
    internal bool AllowsName(ReadOnlySpan<byte> name)
    {
        foreach (ref readonly Rule rule in _rules.AsSpan())
        {
            if (rule.Allow && rule.Name is { } place && _names[place].Matches(name))
                return true;
        }
        return false;
    }

    /// <returns>The place of the first name from <paramref name="from"/> on that matches; -1 when there is none.</returns>
    internal int IndexOfName(ReadOnlySpan<byte> name, int from)
    {
        for (int i = from; i < _names.Length; i++)
        {
            if (_names[i].Matches(name))
                return i;
        }
        return -1;
    }
}
