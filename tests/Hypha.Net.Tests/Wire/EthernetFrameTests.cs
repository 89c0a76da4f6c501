using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class EthernetFrameTests
{
    private static readonly byte[] s_frame = Bytes("ffffffffffff 02750a4b0002 0806 0001");

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => EthernetFrame.TryParse(bytes, out _);

    [Fact]
    public void Is_read()
    {
        Assert.Equal(WireFault.None, EthernetFrame.TryParse(s_frame, out EthernetFrame frame));
        Assert.Equal((MacAddress.Broadcast, Mac("02:75:0a:4b:00:02"), EtherType.Arp), (frame.Destination, frame.Source, frame.Type));
        Assert.Equal(s_frame[14..], frame.Payload.ToArray());
    }

    [Fact]
    public void A_header_alone_is_a_frame_and_less_is_none()
    {
        IsRefusedAtEveryShorterLength(s_frame[..14], Parse);
        NeverThrows(s_frame, Parse);
    }

    [Theory]
    [InlineData("000000000000")]
    [InlineData("ffffffffffff")]
    [InlineData("01005e000001")]
    [InlineData("333300000001")]
    public void Nobody_sends_from_a_group_or_from_nowhere(string source) =>
        Assert.Equal(WireFault.Address, Parse(Bytes("02750a4b0003" + source + "0800")));

    [Fact]
    public void Is_written_as_it_is_read()
    {
        byte[] written = new byte[EthernetFrame.HeaderSize];
        EthernetFrame.Write(written, MacAddress.Broadcast, Mac("02:75:0a:4b:00:02"), EtherType.Arp);
        Assert.Equal(s_frame[..14], written);
    }
}
