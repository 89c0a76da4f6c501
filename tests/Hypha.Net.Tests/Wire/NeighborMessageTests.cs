using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class NeighborMessageTests
{
    private static readonly IpAddress s_self = Address("fe80::75:aff:fe4b:2"), s_asked = Address("ff02::1:ff00:1");

    // Who has fd75::1? With the source's link-layer address.
    private static readonly byte[] s_solicitation = Bytes("87 00 6722 00000000 fd750000000000000000000000000001 01 01 02750a4b0002");

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => Parse(bytes, out _);

    private static WireFault Parse(ReadOnlySpan<byte> bytes, out NeighborMessage neighbor, byte hopLimit = 255)
    {
        neighbor = default;
        return IcmpMessage.TryParse(bytes, s_self, s_asked, out IcmpMessage message, checkSum: false) is var fault and not WireFault.None ? fault
            : NeighborMessage.TryParse(message, hopLimit, out neighbor);
    }

    [Fact]
    public void A_solicitation_is_read()
    {
        Assert.Equal(WireFault.None, IcmpMessage.TryParse(s_solicitation, s_self, s_asked, out _));
        Assert.Equal(WireFault.None, Parse(s_solicitation, out NeighborMessage message));
        Assert.Equal(new NeighborMessage(true, Address("fd75::1"), Mac("02:75:0a:4b:00:02")), message);
        Assert.Equal(WireFault.None, Parse(s_solicitation[..24], out message)); // the option need not be there
        Assert.Null(message.LinkAddress);
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        IsRefusedAtEveryShorterLength(s_solicitation[..24], Parse);
        for (int length = 25; length < s_solicitation.Length; length++)
            Assert.Equal(WireFault.Options, Parse(s_solicitation[..length]));
        NeverThrows(s_solicitation, Parse);
    }

    [Theory]
    [InlineData(25, 0, WireFault.Options)]      // RFC 4861 4.6
    [InlineData(25, 2, WireFault.Options)]
    [InlineData(25, 255, WireFault.Options)]
    [InlineData(1, 1, WireFault.Version)]
    [InlineData(0, 0x86, WireFault.Version)]
    [InlineData(8, 0xFF, WireFault.Address)]    // nobody has a group's address
    public void A_field_out_of_range_is_refused(int at, byte value, WireFault expected) => Assert.Equal(expected, Parse(s_solicitation.With(at, value)));

    [Fact]
    public void A_hop_limit_below_255_comes_from_elsewhere() => Assert.Equal(WireFault.Version, Parse(s_solicitation, out _, hopLimit: 254));

    [Fact]
    public void An_IPv4_address_is_nobodys_to_ask_for() =>
        // ::ffff:10.75.0.1 counts as 10.75.0.1 behind the parsers, and what would be answered were no IPv6 packet.
        Assert.Equal(WireFault.Address, Parse(Bytes("87 00 0000 00000000 00000000000000000000ffff0a4b0001")));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Is_written_as_it_is_read(bool solicitation)
    {
        byte[] bytes = new byte[NeighborMessage.Size];
        new NeighborMessage(solicitation, Address("fd75::1"), null).Write(bytes, s_self, s_asked, Mac("02:75:0a:4b:00:02"), solicited: true);
        Assert.Equal(WireFault.None, IcmpMessage.TryParse(bytes, s_self, s_asked, out IcmpMessage message));
        Assert.Equal(WireFault.None, NeighborMessage.TryParse(message, 255, out NeighborMessage read));
        Assert.Equal(new NeighborMessage(solicitation, Address("fd75::1"), Mac("02:75:0a:4b:00:02")), read);
        if (solicitation)
            Assert.Equal(s_solicitation, bytes);
        else
            Assert.Equal(0xE0, bytes[4]); // router, solicited, override
    }
}
