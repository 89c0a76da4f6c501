using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class Dhcp6MessageTests
{
    private static readonly byte[] s_server = Bytes("0003 0001 020048595001"), s_client = Bytes("0003 0001 02750a4b0002");

    // Information request of a client that says who it is, and asks for name servers.
    private static readonly byte[] s_request = Bytes("0b abcdef  0001 000a 00030001 02750a4b0002  0006 0002 0017  0008 0002 0000");

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => Dhcp6Message.TryParse(bytes, s_server, out _, out _);

    [Fact]
    public void Is_read()
    {
        Assert.Equal(WireFault.None, Dhcp6Message.TryParse(s_request, s_server, out Dhcp6Message message, out ReadOnlySpan<byte> client));
        Assert.Equal(0xABCDEFu, message.Transaction);
        Assert.Equal(s_client, client.ToArray());
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        for (int length = 0; length < s_request.Length; length++)
        {
            // It may end where an option does.
            WireFault expected = length < 4 ? WireFault.Truncated : length is 4 or 18 or 24 ? WireFault.None : WireFault.Options;
            Assert.Equal(expected, Parse(s_request[..length]));
        }
        NeverThrows(s_request, Parse);
    }

    [Theory]
    [InlineData(0, 1, WireFault.Version)]       // SOLICIT: we have no addresses to give
    [InlineData(7, 21, WireFault.Options)]
    [InlineData(6, 0xFF, WireFault.Options)]
    public void A_field_out_of_range_is_refused(int at, byte value, WireFault expected) => Assert.Equal(expected, Parse(s_request.With(at, value)));

    [Fact]
    public void An_identifier_longer_than_any_and_another_server_are_refused()
    {
        Assert.Equal(WireFault.None, Parse([0x0B, 0, 0, 1, 0, 1, 0, 130, .. new byte[130]]));
        Assert.Equal(WireFault.Options, Parse([0x0B, 0, 0, 1, 0, 1, 0, 131, .. new byte[131]]));
        Assert.Equal(WireFault.None, Parse([0x0B, 0, 0, 1, 0, 2, 0, 10, .. s_server]));
        Assert.Equal(WireFault.Address, Parse([0x0B, 0, 0, 1, 0, 2, 0, 10, .. s_client]));
    }

    [Fact]
    public void A_reply_says_to_whom_from_whom_and_where_names_are_looked_up()
    {
        byte[] reply = new byte[Dhcp6Message.MaximumReply];
        int length = new Dhcp6Message(0xABCDEF).WriteReply(reply, s_client, s_server, Address("fd75::1"));
        Assert.Equal(Bytes("07 abcdef  0001 000a 00030001 02750a4b0002  0002 000a 00030001 020048595001  0017 0010 fd750000000000000000000000000001"), reply[..length]);
        // And the longest fits.
        Assert.InRange(new Dhcp6Message(1).WriteReply(reply, new byte[Dhcp6Message.MaximumIdentifier], s_server, Address("fd75::1")), 1, Dhcp6Message.MaximumReply);
    }
}
