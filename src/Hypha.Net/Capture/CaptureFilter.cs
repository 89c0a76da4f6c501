using System.Globalization;
using Hypha.Net.Wire;

namespace Hypha.Net.Capture;

/// <summary>
/// Which frames to take: terms joined by "and", which may be left out after a protocol, as in tcpdump's language, of which this is a part:
/// <code>
/// tcp | udp | icmp | arp | ip | ip6 | host ADDRESS | port N
/// </code>
/// </summary>
public sealed class CaptureFilter
{
    private readonly Term[] _terms;
    private readonly string _text;

    private CaptureFilter(Term[] terms, string text) => (_terms, _text) = (terms, text);

    private enum Kind
    {
        Tcp,
        Udp,
        Icmp,
        Arp,
        Ip,
        Ip6,
        Host,
        Port,
    }

    /// <summary>Takes all frames.</summary>
    public static CaptureFilter None { get; } = new([], "");

    public bool IsEmpty => _terms.Length == 0;

    /// <exception cref="FormatException">What is wrong with it, and what belongs there.</exception>
    public static CaptureFilter Parse(string text)
    {
        string[] words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var terms = new List<Term>();
        for (int at = 0; at < words.Length;)
        {
            if (terms.Count > 0)
            {
                bool joined = words[at] == "and";
                if (joined)
                    at++;
                else if (terms[^1].Kind is Kind.Host or Kind.Port || words[at] is not ("host" or "port"))
                    throw new FormatException($"the filter's \"{words[at]}\" stands where \"and\" is due");
                if (at == words.Length)
                    throw new FormatException("the filter ends with \"and\"");
            }
            terms.Add(ParseTerm(words, ref at));
        }
        return new CaptureFilter([.. terms], string.Join(' ', words));
    }

    /// <param name="frame">Its beginning, with all headers.</param>
    public bool Matches(ReadOnlySpan<byte> frame)
    {
        FrameHeaders headers = FrameHeaders.Read(frame);
        foreach (ref readonly Term term in _terms.AsSpan())
        {
            if (!term.Matches(headers))
                return false;
        }
        return true;
    }

    public override string ToString() => _text;

    private static Term ParseTerm(string[] words, ref int at)
    {
        string word = words[at++];
        switch (word)
        {
            case "tcp":
                return new Term(Kind.Tcp);
            case "udp":
                return new Term(Kind.Udp);
            case "icmp":
                return new Term(Kind.Icmp);
            case "arp":
                return new Term(Kind.Arp);
            case "ip":
                return new Term(Kind.Ip);
            case "ip6":
                return new Term(Kind.Ip6);
            case "host":
                string host = at < words.Length ? words[at++] : "";
                return IpAddress.TryParse(host, out IpAddress address) ? new Term(Kind.Host, address)
                    : throw new FormatException($"after \"host\" comes an address: 192.0.2.1, 2001:db8::1; \"{host}\" is none");
            case "port":
                string number = at < words.Length ? words[at++] : "";
                return ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) ? new Term(Kind.Port, default, port)
                    : throw new FormatException($"after \"port\" comes a number up to 65535; \"{number}\" is none");
            default:
                throw new FormatException($"the filter's \"{word}\" is none of tcp, udp, icmp, arp, ip, ip6, host ADDRESS, port N");
        }
    }

    private readonly record struct Term(Kind Kind, IpAddress Host = default, ushort Port = 0)
    {
        public bool Matches(in FrameHeaders of) => Kind switch
        {
            Kind.Tcp => of.IsIp && of.Protocol == IpProtocol.Tcp,
            Kind.Udp => of.IsIp && of.Protocol == IpProtocol.Udp,
            Kind.Icmp => of.IsIp && of.Protocol is IpProtocol.Icmp or IpProtocol.Icmp6,
            Kind.Arp => of.Type == EtherType.Arp,
            Kind.Ip => of.Type == EtherType.Ipv4,
            Kind.Ip6 => of.Type == EtherType.Ipv6,
            Kind.Host => of.HasAddresses && (of.Source == Host || of.Destination == Host),
            _ => of.HasPorts && (of.SourcePort == Port || of.DestinationPort == Port),
        };
    }
}
