using System.Text;
using Hypha.Net.Gateway;
using Hypha.Net.Wire;

namespace Hypha.Net.Dhcp;

/// <summary>DHCP for the one guest behind a link (RFC 2131): its address is known, so there is nothing to keep.</summary>
internal sealed class DhcpServer(GuestConfiguration configuration, GuestOutput output)
{
    public const ushort Port = 67, ClientPort = 68;

    private const uint LeaseTime = 86_400; // seconds

    private readonly byte[] _reply = new byte[DhcpMessage.MaximumReply];

    /// <param name="payload">Of a datagram to port 67.</param>
    /// <param name="guest">Who sent the frame.</param>
    public Answer Receive(ReadOnlySpan<byte> payload, MacAddress guest)
    {
        if (DhcpMessage.TryParse(payload, out DhcpMessage message) != WireFault.None)
            return Answer.Malformed;
        if (message.Client != guest)
            return Answer.Spoofed;
        if (configuration.V4 is not { } lease || configuration.GatewayV4 is not { } server)
            return Answer.Ignored;
        switch (message.Type)
        {
            case DhcpType.Discover:
                Reply(message, DhcpType.Offer, lease, server);
                return Answer.Given;
            // RFC 2131 4.3.2: an offer of somebody else was taken.
            case DhcpType.Request when message.Server is { } chosen && chosen != server:
                return Answer.Ignored;
            case DhcpType.Request:
                // Selecting and after a restart it names the address in an option, renewing it has it already.
                IpAddress wanted = message.Requested ?? message.ClientAddress;
                Reply(message, wanted == lease.Address ? DhcpType.Ack : DhcpType.Nak, wanted == lease.Address ? lease : null, server);
                return Answer.Given;
            case DhcpType.Inform:
                Reply(message, DhcpType.Ack, lease, server);
                return Answer.Given;
            default:
                return Answer.Ignored; // RELEASE and DECLINE change nothing
        }
    }

    private void Reply(in DhcpMessage message, DhcpType type, Subnet? lease, IpAddress server)
    {
        Span<byte> name = stackalloc byte[64];
        int nameLength = configuration.Names.Count > 0 && configuration.Names[0].Length <= name.Length ? Encoding.ASCII.GetBytes(configuration.Names[0], name) : 0;
        int length = message.WriteReply(_reply, type, lease, server, output.Mtu, LeaseTime, name[..nameLength]);
        // RFC 2131 4.1: to the address that it has, or is given; to all when it asked for that, or is told no.
        IpAddress to = type == DhcpType.Nak || (message.WantsBroadcast && message.ClientAddress.IsUnspecified) ? IpAddress.OfV4(uint.MaxValue)
            : !message.ClientAddress.IsUnspecified ? message.ClientAddress
            : lease!.Value.Address;
        output.TrySendUdp(server, Port, to, ClientPort, _reply.AsSpan(0, length));
    }
}
