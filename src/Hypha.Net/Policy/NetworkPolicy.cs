using System.Globalization;
using Hypha.Net.Wire;

namespace Hypha.Net.Policy;

/// <summary>
/// What a guest may reach: rules, the first that matches decides, then the default. Read from text, a rule a line:
/// <code>
/// allow|deny [tcp|udp|icmp] [to ADDRESS|NETWORK/N] [port N[-M][,…]]
/// default allow|deny
/// </code>
/// "#" begins a comment. What is out of everybody's reach (<see cref="Reach"/>) is allowed by a rule alone that names where.
/// </summary>
public sealed class NetworkPolicy
{
    private readonly Rule[] _rules;
    private readonly bool _default;

    private NetworkPolicy(Rule[] rules, bool byDefault) => (_rules, _default) = (rules, byDefault);

    /// <summary>No rules: all that is not out of reach.</summary>
    public static NetworkPolicy None { get; } = new([], byDefault: true);

    /// <exception cref="FormatException">With the line's number, what is wrong with it, and what belongs there.</exception>
    public static NetworkPolicy Parse(string text)
    {
        var rules = new List<Rule>();
        bool? byDefault = null;
        int number = 0;
        foreach (string line in text.Split('\n'))
        {
            number++;
            string[] words = line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0)
                continue;
            if (words is ["default", "allow" or "deny"])
            {
                if (byDefault is not null)
                    throw Wrong(number, "a second default");
                byDefault = words[1] == "allow";
                continue;
            }
            rules.Add(ParseRule(words, number));
        }
        return new NetworkPolicy([.. rules], byDefault ?? true);
    }

    /// <param name="port">0 where the protocol has none.</param>
    public bool Allows(IpProtocol protocol, IpAddress destination, ushort port)
    {
        foreach (ref readonly Rule rule in _rules.AsSpan())
        {
            if (rule.Matches(protocol, destination, port))
                return rule.Allow && (rule.To is not null || Reach.Allows(destination));
        }
        return _default && Reach.Allows(destination);
    }

    private static Rule ParseRule(string[] words, int number)
    {
        if (words[0] is not ("allow" or "deny"))
            throw Wrong(number, $"\"{words[0]}\" is neither allow, deny nor default");
        IpProtocol? protocol = null;
        Subnet? to = null;
        (ushort First, ushort Last)[]? ports = null;
        int at = 1;
        if (at < words.Length && words[at] is "tcp" or "udp" or "icmp")
            protocol = words[at++] switch { "tcp" => IpProtocol.Tcp, "udp" => IpProtocol.Udp, _ => IpProtocol.Icmp };
        if (at < words.Length && words[at] == "to")
        {
            to = at + 1 < words.Length ? ParseTarget(words[at + 1]) : null;
            if (to is null)
                throw Wrong(number, $"after \"to\" comes an address or a network: 192.0.2.1, 10.0.0.0/8, 2001:db8::/32{(at + 1 < words.Length ? $"; \"{words[at + 1]}\" is none" : "")}");
            at += 2;
        }
        if (at < words.Length && words[at] == "port")
        {
            if (protocol is not (IpProtocol.Tcp or IpProtocol.Udp))
                throw Wrong(number, "ports are of tcp or udp: name one of them");
            ports = at + 1 < words.Length ? ParsePorts(words[at + 1]) : null;
            if (ports is null)
                throw Wrong(number, $"after \"port\" come numbers from 1 to 65535: 443, 8000-8080, 80,443{(at + 1 < words.Length ? $"; \"{words[at + 1]}\" is none" : "")}");
            at += 2;
        }
        if (at < words.Length)
            throw Wrong(number, $"\"{words[at]}\" belongs nowhere: allow|deny [tcp|udp|icmp] [to ADDRESS|NETWORK/N] [port N[-M][,…]]");
        return new Rule(words[0] == "allow", protocol, to, ports);
    }

    private static Subnet? ParseTarget(string text) =>
        Subnet.TryParse(text, out Subnet subnet) ? subnet : IpAddress.TryParse(text, out IpAddress address) ? new Subnet(address, address.Size * 8) : null;

    private static (ushort, ushort)[]? ParsePorts(string text)
    {
        var ports = new List<(ushort, ushort)>();
        foreach (string part in text.Split(','))
        {
            int dash = part.IndexOf('-');
            if (!TryParsePort(dash < 0 ? part : part[..dash], out ushort first) || !TryParsePort(dash < 0 ? part : part[(dash + 1)..], out ushort last) || last < first)
                return null;
            ports.Add((first, last));
        }
        return [.. ports];
    }

    private static bool TryParsePort(string text, out ushort port) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port > 0;

    private static FormatException Wrong(int number, string what) => new($"line {number}: {what}.");

    private readonly record struct Rule(bool Allow, IpProtocol? Protocol, Subnet? To, (ushort First, ushort Last)[]? Ports)
    {
        public bool Matches(IpProtocol protocol, IpAddress destination, ushort port)
        {
            if (protocol == IpProtocol.Icmp6)
                protocol = IpProtocol.Icmp;
            if ((Protocol is { } mine && mine != protocol) || (To is { } to && !to.Contains(destination)))
                return false;
            if (Ports is null)
                return true;
            foreach (var (first, last) in Ports)
            {
                if (first <= port && port <= last)
                    return true;
            }
            return false;
        }
    }
}
