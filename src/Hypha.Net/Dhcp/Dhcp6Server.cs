using Hypha.Net.Gateway;
using Hypha.Net.Wire;

namespace Hypha.Net.Dhcp;

/// <summary>Stateless DHCPv6 (RFC 8415 18.3.6): where names are looked up, for guests that do not take it from the router advertisement.</summary>
internal sealed class Dhcp6Server(GuestConfiguration configuration, GuestOutput output)
{
    public const ushort Port = 547, ClientPort = 546;

    private readonly byte[] _reply = new byte[Dhcp6Message.MaximumReply];
    private readonly byte[] _identifier = Identifier(configuration.GatewayMac);

    /// <param name="payload">Of a datagram to port 547.</param>
    public Answer Receive(IpAddress guest, ReadOnlySpan<byte> payload)
    {
        if (Dhcp6Message.TryParse(payload, _identifier, out Dhcp6Message message, out ReadOnlySpan<byte> client) != WireFault.None)
            return Answer.Malformed;
        if (configuration.GatewayV6 is not { } gateway)
            return Answer.Ignored;
        int length = message.WriteReply(_reply, client, _identifier, gateway);
        output.TrySendUdp(IpAddress.LinkLocalOf(configuration.GatewayMac), Port, guest, ClientPort, _reply.AsSpan(0, length));
        return Answer.Given;
    }

    /// <summary>A DUID of the link-layer address (RFC 8415 11.4): type 3, hardware 1.</summary>
    private static byte[] Identifier(MacAddress mac)
    {
        byte[] identifier = [0, 3, 0, 1, 0, 0, 0, 0, 0, 0];
        mac.Write(identifier.AsSpan(4));
        return identifier;
    }
}
