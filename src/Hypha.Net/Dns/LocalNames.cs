using System.Text;
using Hypha.Net.Gateway;
using Hypha.Net.Switch;
using Hypha.Net.Wire;

namespace Hypha.Net.Dns;

/// <summary>Names that the gateway knows itself: those of the members of a guest's network, and whose their addresses are.</summary>
internal sealed class LocalNames(GuestConfiguration configuration, NetworkSwitch? network)
{
    /// <summary>A question and one record, whose data is an address or a name of one label.</summary>
    public const int LongestAnswer = DnsMessage.HeaderSize + DnsMessage.MaximumName + 4 + 12 + 65; // bytes

    private const uint TimeToLive = 5; // seconds; containers come and go

    /// <summary>Writes the answer.</summary>
    /// <param name="to">At least <see cref="LongestAnswer"/>.</param>
    /// <returns>How many bytes; 0 when the name is none of ours.</returns>
    public int TryAnswer(in DnsMessage query, Span<byte> to)
    {
        Span<byte> buffer = stackalloc byte[DnsMessage.MaximumName];
        ReadOnlySpan<byte> name = query.CopyName(buffer);
        if (!query.IsInternet || query.Operation != 0)
            return 0;
        if (ReverseName.TryParse(name, out IpAddress address))
            return IsOurs(address) ? AnswerReverse(query, address, to) : 0;
        // One label: a container's name. With dots it is somebody else's.
        if (name.Length < 3 || name[0] + 2 != name.Length || Find(name.Slice(1, name[0])) is not { } member)
            return 0;
        GuestConfiguration found = member.Configuration;
        IpAddress? wanted = query.Type switch
        {
            DnsType.A => found.V4?.Address,
            DnsType.Aaaa => found.V6?.Address,
            _ => null,
        };
        int length = query.BeginAnswer(to, DnsStatus.NoError, wanted is null ? 0 : 1, authoritative: true);
        if (wanted is not { } one)
            return length;
        Span<byte> data = stackalloc byte[IpAddress.V6Size];
        one.Write(data);
        return DnsMessage.AppendRecord(to, length, query.Type, TimeToLive, data[..one.Size]);
    }

    private bool IsOurs(IpAddress address) => (address.IsV4 ? configuration.V4 : configuration.V6) is { } subnet && subnet.Contains(address);

    private int AnswerReverse(in DnsMessage query, IpAddress address, Span<byte> to)
    {
        string? name = configuration.IsGateway(address) ? "gateway"
            : network is not null && network.TryFind(address, out Attachment? member) ? member.Configuration.Names.FirstOrDefault() : null;
        // What is ours is nobody else's to be asked.
        if (name is null)
            return query.BeginAnswer(to, DnsStatus.NameError, 0, authoritative: true);
        if (query.Type != DnsType.Ptr || name.Length > 63)
            return query.BeginAnswer(to, DnsStatus.NoError, 0, authoritative: true);
        int length = query.BeginAnswer(to, DnsStatus.NoError, 1, authoritative: true);
        Span<byte> data = stackalloc byte[65];
        data[0] = (byte)name.Length;
        Encoding.ASCII.GetBytes(name, data[1..]);
        data[name.Length + 1] = 0;
        return DnsMessage.AppendRecord(to, length, DnsType.Ptr, TimeToLive, data[..(name.Length + 2)]);
    }

    private Attachment? Find(ReadOnlySpan<byte> label)
    {
        if (network is null)
            return null;
        foreach (Attachment member in network.Members)
        {
            foreach (string name in member.Configuration.Names)
            {
                if (Ascii.EqualsIgnoreCase(name, label))
                    return member;
            }
        }
        return null;
    }
}
