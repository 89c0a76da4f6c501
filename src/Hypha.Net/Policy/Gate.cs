using Hypha.Net.Wire;

namespace Hypha.Net.Policy;

/// <summary>A guest's policy at work, with what was learnt of the names in it.</summary>
/// <param name="log">Told of what was denied; null for nobody.</param>
internal sealed class Gate(NetworkPolicy policy, DenialLog? log = null)
{
    private const int MostRecords = 256, MostAliases = 8; // of an answer

    private readonly LearnedNames? _learned = policy.HasNames ? new LearnedNames() : null;

    /// <summary>Packets that the guest sent, and what others began, against the rules.</summary>
    public ulong DeniedOut { get; private set; }

    public ulong DeniedIn { get; private set; }

    public bool Learns => _learned is not null;

    public bool ListedNames => policy.ListedNames;

    /// <summary>Whether the guest may begin to speak to somebody.</summary>
    /// <param name="port">0 where the protocol has none.</param>
    public bool MayReach(IpProtocol protocol, IpAddress destination, ushort port, long now) =>
        policy.Allows(protocol, destination, port, _learned?.Find(destination), now);

    /// <summary>Whether a rule forbids a group. That none does is not enough: whoever is in it must be within reach, too.</summary>
    public bool MayReachGroup(IpProtocol protocol, IpAddress group, ushort port) => policy.AllowsGroup(protocol, group, port);

    /// <summary>Whether somebody may begin to speak to the guest; if not, it is counted.</summary>
    /// <param name="port">The guest's.</param>
    public bool MayEnter(IpProtocol protocol, IpAddress peer, IpAddress guest, ushort port, long now)
    {
        if (policy.AllowsIn(protocol, peer, port))
            return true;
        DeniedIn++;
        log?.Add(new Denial(In: true, protocol, peer, guest, port), now);
        return false;
    }

    /// <summary>A packet that the guest sent goes no further.</summary>
    public void Deny(IpProtocol protocol, IpAddress guest, IpAddress destination, ushort port, long now)
    {
        DeniedOut++;
        log?.Add(new Denial(In: false, protocol, guest, destination, port), now);
    }

    public void Close() => log?.Close();

    /// <summary>Whether the guest's question may be asked.</summary>
    public bool MayAsk(in DnsMessage query, long now)
    {
        if (!policy.ListedNames)
            return true;
        Span<byte> buffer = stackalloc byte[DnsMessage.MaximumName];
        ReadOnlySpan<byte> name = query.CopyName(buffer);
        if (query.Operation == 0 && query.IsInternet && policy.AllowsName(name))
            return true;
        log?.AddName(name, now);
        return false;
    }

    /// <summary>
    /// Takes from an answer the addresses of the name that was asked for, and of those that it is an alias of (RFC 1034 3.6.2); others that
    /// stand there are nobody's word. What is out of reach stays there, whatever a server says.
    /// </summary>
    public void Learn(in DnsMessage answer, long now)
    {
        if (_learned is null || answer.Status != DnsStatus.NoError || !answer.IsInternet)
            return;
        Span<byte> asked = stackalloc byte[DnsMessage.MaximumName], owner = stackalloc byte[DnsMessage.MaximumName], other = stackalloc byte[DnsMessage.MaximumName];
        ReadOnlySpan<byte> name = answer.CopyName(asked);
        if (policy.IndexOfName(name, 0) < 0)
            return;
        name.CopyTo(owner);
        int ownerLength = name.Length;
        uint timeToLive = uint.MaxValue;
        for (int i = 0; i <= MostAliases && ownerLength > 0; i++)
        {
            var records = new DnsRecords(answer);
            int next = 0;
            for (int j = 0; j < MostRecords && records.MoveNext(); j++)
            {
                if (!records.IsInternet || !other[..records.CopyName(other)].SequenceEqual(owner[..ownerLength]))
                    continue;
                if (records.Address is { } address)
                    Learn(name, address, Math.Min(timeToLive, records.TimeToLive), now);
                if (records.Type != DnsType.Cname)
                    continue;
                // An alias has no records but that (RFC 1034 3.6.2).
                next = records.CopyTarget(other);
                timeToLive = Math.Min(timeToLive, records.TimeToLive);
                break;
            }
            other[..next].CopyTo(owner);
            ownerLength = next;
        }
    }

    private void Learn(ReadOnlySpan<byte> name, IpAddress address, uint timeToLive, long now)
    {
        if (!Reach.Allows(address))
            return;
        for (int place = -1; (place = policy.IndexOfName(name, place + 1)) >= 0;)
            _learned!.Add(address, place, timeToLive, now);
    }
}
