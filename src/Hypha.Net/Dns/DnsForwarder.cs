using Hypha.Net.Gateway;
using Hypha.Net.Loop;
using Hypha.Net.Policy;
using Hypha.Net.Switch;
using Hypha.Net.Wire;

namespace Hypha.Net.Dns;

public struct DnsCounters
{
    public ulong Queries, Local, Forwarded, Answered, Failed;

    /// <summary>Not a question.</summary>
    public ulong Malformed;

    /// <summary>Refused since the guest has as many questions under way as it may.</summary>
    public ulong OverLimit;

    /// <summary>Refused since the policy lists names, and not this one.</summary>
    public ulong Refused;

    /// <summary>Answers that were none to the question that was asked.</summary>
    public ulong Lies;
}

/// <summary>
/// The resolver on the gateway's addresses (RFC 1035, RFC 5625): answers for the members of the network, in both directions, and asks the host's
/// servers for all else.
/// </summary>
internal sealed class DnsForwarder(GuestSockets sockets, GuestConfiguration configuration, GuestOutput output, HostResolver host, NetworkSwitch? network, Gate gate)
{
    public const ushort Port = 53;

    private const int Limit = 256;
    private const int LongestQuery = 1_232; // bytes, what goes in one packet anywhere (RFC 9715)

    private readonly List<DnsQuery> _queries = [];
    private readonly LocalNames _names = new(configuration, network);
    private readonly byte[] _answer = new byte[LocalNames.LongestAnswer];

    public EventLoop Loop => sockets.Loop;

    public GuestSockets Sockets => sockets;

    /// <summary>For one answer at a time.</summary>
    public byte[] Buffer { get; } = new byte[65_536];

    public int Count => _queries.Count;

    public DnsCounters Counters;

    /// <summary>The server that answered last: asked first.</summary>
    public int Preferred { get; private set; }

    /// <summary>Whom to ask; nobody for a guest without a way out: questions are one, too.</summary>
    public IReadOnlyList<IpAddress> Servers(long now) => configuration.Internal ? [] : configuration.Dns.Count > 0 ? configuration.Dns : host.Servers(now);

    /// <summary>A guest's question by UDP.</summary>
    /// <param name="gateway">The address that it asked.</param>
    public void Receive(IpAddress guest, ushort port, IpAddress gateway, ReadOnlySpan<byte> bytes, long now)
    {
        Counters.Queries++;
        if (bytes.Length > LongestQuery || DnsMessage.TryParse(bytes, out DnsMessage query) != WireFault.None || query.IsResponse)
        {
            Counters.Malformed++;
            return;
        }
        int length = _names.TryAnswer(query, _answer);
        if (length > 0)
        {
            Counters.Local++;
            if (gate.Learns)
                Learn(_answer.AsSpan(0, length), now);
            output.TrySendUdp(gateway, Port, guest, port, _answer.AsSpan(0, length));
            return;
        }
        if (!gate.MayAsk(query, now))
        {
            Counters.Refused++;
            Say(guest, port, gateway, query, DnsStatus.Refused);
            return;
        }
        foreach (DnsQuery under in _queries)
        {
            if (under.IsOf(guest, port, bytes))
                return; // it asks again; the answer is under way
        }
        IReadOnlyList<IpAddress> servers = Servers(now);
        if (_queries.Count >= Limit || servers.Count == 0)
        {
            if (servers.Count > 0)
                Counters.OverLimit++;
            Say(guest, port, gateway, query, configuration.Internal ? DnsStatus.Refused : DnsStatus.ServerFailure);
            return;
        }
        var asked = new DnsQuery(this, servers, query, guest, port, gateway);
        _queries.Add(asked);
        Counters.Forwarded++;
        asked.Ask(now);
    }

    public void Close()
    {
        _queries.ForEach(query => query.Close());
        _queries.Clear();
    }

    /// <summary>Nobody answered.</summary>
    internal void Fail(DnsQuery query)
    {
        _queries.Remove(query);
        Counters.Failed++;
        if (DnsMessage.TryParse(query.Message, out DnsMessage message) == WireFault.None)
            Say(query.Guest, query.Port, query.Gateway, message, DnsStatus.ServerFailure);
    }

    /// <summary>The answer of a server, with the guest's identifier in it.</summary>
    internal void Pass(DnsQuery query, ReadOnlySpan<byte> answer, in DnsMessage message, long now)
    {
        _queries.Remove(query);
        Counters.Answered++;
        Preferred = query.ServerIndex;
        gate.Learn(message, now);
        // RFC 6891 6.2.5: no more than the guest said it takes, and what goes in one packet. It comes again by TCP.
        int room = Math.Min(output.LargestPayload(query.Guest.IsV4) - UdpDatagram.HeaderSize, DnsMessage.TryParse(query.Message, out DnsMessage asked) == WireFault.None ? asked.UdpSize : DnsMessage.PlainSize);
        if (answer.Length <= room)
            output.TrySendUdp(query.Gateway, Port, query.Guest, query.Port, answer);
        else
            Send(query.Guest, query.Port, query.Gateway, message, DnsStatus.NoError, truncated: true);
    }

    private void Learn(ReadOnlySpan<byte> answer, long now)
    {
        if (DnsMessage.TryParse(answer, out DnsMessage message) == WireFault.None)
            gate.Learn(message, now);
    }

    private void Say(IpAddress guest, ushort port, IpAddress gateway, in DnsMessage query, DnsStatus status) => Send(guest, port, gateway, query, status, truncated: false);

    private void Send(IpAddress guest, ushort port, IpAddress gateway, in DnsMessage message, DnsStatus status, bool truncated)
    {
        int length = message.BeginAnswer(_answer, status, answers: 0, authoritative: false, truncated);
        output.TrySendUdp(gateway, Port, guest, port, _answer.AsSpan(0, length));
    }
}
