using Hypha.Net.Wire;

namespace Hypha.Net.Gateway;

/// <summary>Echo requests to the gateway itself (RFC 792, RFC 4443 4).</summary>
internal static class Echo
{
    public static Answer Answer(GuestOutput output, IpAddress source, IpAddress destination, ReadOnlySpan<byte> payload, bool check)
    {
        if (IcmpMessage.TryParse(payload, source, destination, out IcmpMessage message, check) != WireFault.None)
            return Gateway.Answer.Malformed;
        bool v4 = source.IsV4;
        if (message.Type != (v4 ? (byte)IcmpType.Echo : (byte)Icmp6Type.Echo) || message.Code != 0)
            return Gateway.Answer.Ignored;
        Span<byte> reply = output.Scratch(payload.Length);
        payload.CopyTo(reply);
        IcmpMessage.WriteHeader(reply, destination, source, v4 ? (byte)IcmpType.EchoReply : (byte)Icmp6Type.EchoReply, 0, message.Parameter);
        output.TrySendIp(v4 ? IpProtocol.Icmp : IpProtocol.Icmp6, destination, source, reply);
        return Gateway.Answer.Given;
    }
}
