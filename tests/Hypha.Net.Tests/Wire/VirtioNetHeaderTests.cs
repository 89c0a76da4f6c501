using CsCheck;
using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class VirtioNetHeaderTests
{
    [Fact]
    public void A_long_TCP_frames_header_is_read_and_written_alike()
    {
        // As Linux gives it: checksum at 34 + 16, cut into 1,448 bytes, headers of 66.
        byte[] bytes = Bytes("01 01 4200 a805 2200 1000");
        var header = new VirtioNetHeader(true, false, Segmentation.TcpV4, 66, 1_448, 34, 16);
        Assert.Equal(header, VirtioNetHeader.Read(bytes));
        byte[] written = new byte[VirtioNetHeader.Size];
        header.Write(written);
        Assert.Equal(bytes, written);
    }

    [Fact]
    public void Flags_that_nobody_knows_and_ECN_are_passed_over()
    {
        VirtioNetHeader header = VirtioNetHeader.Read(Bytes("fe 84 0000 0000 0000 0000"));
        Assert.Equal((false, true, Segmentation.TcpV6), (header.NeedsChecksum, header.DataValid, header.Segmentation));
    }

    [Fact]
    public void Any_bytes_are_read_and_what_is_written_reads_the_same() => Gen.Byte.Array[10].Sample(bytes =>
    {
        VirtioNetHeader header = VirtioNetHeader.Read(bytes);
        byte[] written = new byte[VirtioNetHeader.Size];
        header.Write(written);
        return VirtioNetHeader.Read(written) == header;
    }, iter: 1_000);
}
