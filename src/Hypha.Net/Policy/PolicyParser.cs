using System.Globalization;
using Hypha.Net.Wire;

namespace Hypha.Net.Policy;

/// <summary>A policy's text (<see cref="NetworkPolicy"/> has its form).</summary>
internal sealed class PolicyParser
{
    private const string Form = "allow|deny [tcp|udp|icmp] [to ADDRESS|NETWORK/N|name NAME] [port N[-M][,…]]";
    private const string FormIn = "allow|deny in [tcp|udp|icmp] [from ADDRESS|NETWORK/N] [port N[-M][,…]]";

    private readonly List<Rule> _rules = [], _in = [];
    private readonly List<NamePattern> _names = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.OrdinalIgnoreCase);
    private bool? _default, _defaultIn;
    private bool _listedNames;
    private PolicyLimits _limits = PolicyLimits.None;
    private int _line;

    public NetworkPolicy Parse(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            _line++;
            string[] words = line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            switch (words)
            {
                case []:
                    break;
                case ["default", "allow" or "deny"]:
                    SetDefault(ref _default, words[1]);
                    break;
                case ["default", "in", "allow" or "deny"]:
                    SetDefault(ref _defaultIn, words[2]);
                    break;
                case ["dns", ..]:
                    if (words is not [_, "listed"])
                        throw Wrong("after \"dns\" comes \"listed\": names that no rule allows are refused");
                    _listedNames = true;
                    break;
                case ["limit", ..]:
                    _limits = ParseLimit(words);
                    break;
                case ["allow" or "deny", "in", ..]:
                    _in.Add(ParseRule(words, at: 2, "from"));
                    break;
                case ["allow" or "deny", ..]:
                    _rules.Add(ParseRule(words, at: 1, "to"));
                    break;
                case ["default", ..]:
                    throw Wrong("after \"default\" comes allow or deny, or \"in\" and one of them");
                default:
                    throw Wrong($"\"{words[0]}\" is neither allow, deny, default, dns nor limit");
            }
        }
        return new NetworkPolicy([.. _rules], [.. _in], [.. _names], _default ?? true, _defaultIn ?? true, _listedNames, _limits);
    }

    private void SetDefault(ref bool? byDefault, string word)
    {
        if (byDefault is not null)
            throw Wrong("a second default");
        byDefault = word == "allow";
    }

    private PolicyLimits ParseLimit(string[] words)
    {
        if (words is not [_, "out" or "in" or "packets" or "flows" or "new", var text])
            throw Wrong("limits are: out or in, and bits a second (10mbit); packets, flows or new, and a number");
        bool rate = words[1] is "out" or "in";
        if (rate ? ParseRate(text) is not { } value : !TryParseNumber(text, 100_000_000, out value))
            throw Wrong(rate ? $"\"{text}\" is no rate from 64kbit to 1000gbit" : $"\"{text}\" is no number from 1 to 100000000");
        bool second = words[1] switch
        {
            "out" => _limits.Out is not null,
            "in" => _limits.In is not null,
            "packets" => _limits.Packets is not null,
            "flows" => _limits.Flows is not null,
            _ => _limits.New is not null,
        };
        if (second)
            throw Wrong($"a second limit of {words[1]}");
        return words[1] switch
        {
            "out" => _limits with { Out = value },
            "in" => _limits with { In = value },
            "packets" => _limits with { Packets = (int)value },
            "flows" => _limits with { Flows = (int)value },
            _ => _limits with { New = (int)value },
        };
    }

    /// <returns>Bytes a second.</returns>
    private static long? ParseRate(string text)
    {
        int unit = text.Length - 4;
        if (unit <= 0 || !TryParseNumber(text[..unit], 1_000_000_000, out long number))
            return null;
        long bits = number * text[unit..] switch { "kbit" => 1_000, "mbit" => 1_000_000, "gbit" => 1_000_000_000, _ => 0 };
        return bits is >= 64_000 and <= 1_000_000_000_000 ? bits / 8 : null;
    }

    private static bool TryParseNumber(string text, long most, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0 && number <= most;

    /// <param name="peer">The word before the other end.</param>
    private Rule ParseRule(string[] words, int at, string peer)
    {
        IpProtocol? protocol = null;
        Subnet? network = null;
        int? name = null;
        (ushort First, ushort Last)[]? ports = null;
        if (at < words.Length && words[at] is "tcp" or "udp" or "icmp")
            protocol = words[at++] switch { "tcp" => IpProtocol.Tcp, "udp" => IpProtocol.Udp, _ => IpProtocol.Icmp };
        if (peer == "to" && words.AsSpan(at) is ["to", "name", ..])
        {
            name = ParseName(words, at + 2);
            at += 3;
        }
        else if (at < words.Length && words[at] == peer)
        {
            network = ParsePeer(words, at);
            at += 2;
        }
        if (at < words.Length && words[at] == "port")
        {
            if (protocol is not (IpProtocol.Tcp or IpProtocol.Udp))
                throw Wrong("ports are of tcp or udp: name one of them");
            ports = at + 1 < words.Length ? ParsePorts(words[at + 1]) : null;
            if (ports is null)
                throw Wrong($"after \"port\" come numbers from 1 to 65535: 443, 8000-8080, 80,443{None(words, at + 1)}");
            at += 2;
        }
        if (at < words.Length)
            throw Wrong($"\"{words[at]}\" belongs nowhere: {(peer == "to" ? Form : FormIn)}");
        return new Rule(words[0] == "allow", protocol, network, name, ports);
    }

    private Subnet ParsePeer(string[] words, int at)
    {
        if (at + 1 < words.Length)
        {
            if (Subnet.TryParse(words[at + 1], out Subnet subnet))
                return subnet;
            if (IpAddress.TryParse(words[at + 1], out IpAddress address))
                return new Subnet(address, address.Size * 8);
        }
        throw Wrong($"after \"{words[at]}\" comes an address or a network{(words[at] == "to" ? ", or a name" : "")}: 192.0.2.1, 10.0.0.0/8, 2001:db8::/32{(words[at] == "to" ? ", name example.com" : "")}{None(words, at + 1)}");
    }

    private int ParseName(string[] words, int at)
    {
        if (at >= words.Length || NamePattern.Parse(words[at]) is not { } pattern)
            throw Wrong($"after \"name\" comes a DNS name, or all below one: example.com, *.example.com{None(words, at)}");
        if (_places.TryGetValue(words[at], out int place))
            return place;
        _places.Add(words[at], _names.Count);
        _names.Add(pattern);
        return _names.Count - 1;
    }

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

    /// <summary>What stands there instead, if anything.</summary>
    private static string None(string[] words, int at) => at < words.Length ? $"; \"{words[at]}\" is none" : "";

    private FormatException Wrong(string what) => new($"line {_line}: {what}.");
}
