using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class DhcpMessageTests
{
    // A client that had 10.75.0.2 looks for a server, and asks for mask, router and MTU.
    private static readonly byte[] s_discover = Bytes($"""
        01 01 06 00 3903f326 0000 0000 00000000 00000000 00000000 00000000
        02750a4b0002 00000000000000000000 {new string('0', 2 * 192)} 63825363
        35 01 01  32 04 0a4b0002  37 03 01031a  ff
        """);

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => DhcpMessage.TryParse(bytes, out _);

    [Fact]
    public void Is_read()
    {
        Assert.Equal(WireFault.None, DhcpMessage.TryParse(s_discover, out DhcpMessage message));
        Assert.Equal((DhcpType.Discover, 0x3903F326u, false, (IpAddress?)Address("10.75.0.2"), (IpAddress?)null), (message.Type, message.Transaction, message.WantsBroadcast, message.Requested, message.Server));
        Assert.Equal((Mac("02:75:0a:4b:00:02"), true), (message.Client, message.ClientAddress.IsUnspecified));
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        // CVE-2021-3592: libslirp read behind it. Its end mark may be missing, its type may not.
        IsRefusedAtEveryShorterLength(s_discover[..243], Parse);
        for (int length = 243; length < s_discover.Length; length++)
            Parse(s_discover[..length]);
        NeverThrows(s_discover, Parse);
    }

    [Theory]
    [InlineData(0, 2, WireFault.Version)]       // a server's
    [InlineData(1, 6, WireFault.Version)]
    [InlineData(2, 16, WireFault.Version)]
    [InlineData(236, 0, WireFault.Version)]     // BOOTP without the cookie
    [InlineData(240, 255, WireFault.Options)]   // no type
    [InlineData(241, 0, WireFault.Options)]
    [InlineData(241, 255, WireFault.Options)]
    [InlineData(244, 255, WireFault.Options)]
    [InlineData(244, 15, WireFault.Options)]
    public void A_field_out_of_range_is_refused(int at, byte value, WireFault expected) => Assert.Equal(expected, Parse(s_discover.With(at, value)));

    [Fact]
    public void An_option_of_another_length_is_passed_over()
    {
        Assert.Equal(WireFault.None, DhcpMessage.TryParse([.. s_discover[..243], 50, 0, 54, 3, 1, 2, 3, 0, 0], out DhcpMessage message));
        Assert.Equal((null, null), (message.Requested, message.Server));
    }

    [Theory]
    [InlineData("10.75.0.2/16", "0104ffff0000")]
    [InlineData("10.75.0.2/0", "010400000000")]
    [InlineData("10.75.0.2/32", "0104ffffffff")]
    public void An_offer_says_all_that_a_client_needs(string lease, string mask)
    {
        DhcpMessage.TryParse(s_discover, out DhcpMessage message);
        Assert.True(Subnet.TryParse(lease, out Subnet subnet));
        byte[] reply = new byte[DhcpMessage.MaximumReply];
        reply.AsSpan().Fill(0xEE);
        int length = message.WriteReply(reply, DhcpType.Offer, subnet, Address("10.75.0.1"), 1_500, 86_400, "web"u8);
        Assert.Equal(300, length);
        Assert.Equal(Bytes($"""
            02 01 06 00 3903f326 0000 0000 00000000 0a4b0002 00000000 00000000
            02750a4b0002 00000000000000000000 {new string('0', 2 * 192)} 63825363
            35 01 02  36 04 0a4b0001  33 04 00015180  {mask}  03 04 0a4b0001  06 04 0a4b0001  1a 02 05dc  0c 03 776562  ff
            """), reply[..283]);
        Assert.All(reply[283..length], zero => Assert.Equal(0, zero));
    }

    [Fact]
    public void The_longest_reply_fits()
    {
        DhcpMessage.TryParse(s_discover, out DhcpMessage message);
        int length = message.WriteReply(new byte[DhcpMessage.MaximumReply], DhcpType.Ack, new Subnet(Address("10.75.0.2"), 16), Address("10.75.0.1"), 65_520, uint.MaxValue, new byte[64]);
        Assert.InRange(length, 300, DhcpMessage.MaximumReply);
    }
}
