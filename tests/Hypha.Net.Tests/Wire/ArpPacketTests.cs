using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class ArpPacketTests
{
    // Who has 10.75.0.1? Tell 10.75.0.2.
    private static readonly byte[] s_request = Bytes("0001 0800 06 04 0001  02750a4b0002 0a4b0002  000000000000 0a4b0001");

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => ArpPacket.TryParse(bytes, out _);

    [Fact]
    public void Is_read_and_written_alike()
    {
        Assert.Equal(WireFault.None, ArpPacket.TryParse(s_request, out ArpPacket packet));
        Assert.Equal(new ArpPacket(ArpOperation.Request, Mac("02:75:0a:4b:00:02"), Address("10.75.0.2"), default, Address("10.75.0.1")), packet);
        byte[] written = new byte[ArpPacket.Size];
        packet.Write(written);
        Assert.Equal(s_request, written);
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        IsRefusedAtEveryShorterLength(s_request, Parse); // CVE-2020-29130: libslirp read behind it
        NeverThrows(s_request, Parse);
    }

    [Theory]
    [InlineData(1, 6)]      // IEEE 802 hardware
    [InlineData(2, 0x86)]   // of something else than IPv4
    [InlineData(4, 8)]      // addresses of other lengths
    [InlineData(4, 0)]
    [InlineData(5, 16)]
    [InlineData(7, 0)]
    [InlineData(7, 3)]      // reverse ARP
    [InlineData(7, 9)]      // inverse ARP
    public void Another_kind_is_refused(int at, byte value) => Assert.Equal(WireFault.Version, Parse(s_request.With(at, value)));
}
