using CsCheck;
using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class TcpOptionsTests
{
    [Fact]
    public void Linux_options_are_read()
    {
        TcpOptions.Read(Bytes("020405b4 0402 080a 00112233 00000007 01 030307"), out TcpOptions options);
        Assert.Equal(((ushort?)1460, (byte?)7, true, true, 0x112233u, 7u), (options.SegmentSize, options.WindowShift, options.SackPermitted, options.HasTimestamps, options.TimestampValue, options.TimestampEcho));
        TcpOptions.Read(Bytes("0101 0512 00000001 00000002 00000005 00000009"), out options);
        Assert.Equal([new SackBlock(new(1), new(2)), new SackBlock(new(5), new(9))], options.SackBlocks.ToArray());
    }

    [Theory]
    [InlineData("0200 020405b4")]           // a length of 0 would never end
    [InlineData("0201 020405b4")]           // and of 1
    [InlineData("ff00 020405b4")]
    [InlineData("fe01 020405b4")]
    [InlineData("0205 05b4")]               // past the end
    [InlineData("02")]
    [InlineData("0205 05b4 00 0101")]       // a length that is none of its kind
    [InlineData("0203 05")]
    [InlineData("00 020405b4")]             // behind the end of the list
    [InlineData("01010101")]
    [InlineData("")]
    [InlineData("1e28")]                    // 40 bytes in 2
    public void A_broken_length_ends_the_list_and_gives_nothing(string hex)
    {
        TcpOptions.Read(Bytes(hex), out TcpOptions options);
        Assert.Null(options.SegmentSize);
        Assert.Null(options.WindowShift);
        Assert.Equal((false, false, 0), (options.SackPermitted, options.HasTimestamps, options.BlockCount));
    }

    [Theory]
    [InlineData("02040000", 0)]             // pasta divided by it; whoever uses it bounds it (see HandshakeTests)
    [InlineData("0204ffff", 65_535)]
    [InlineData("ff04dead 020405b4", 1460)] // what nobody knows is passed over
    [InlineData("020405b4 02040218", 536)]  // the last one counts
    public void A_segment_size_is_what_it_says(string hex, int expected)
    {
        TcpOptions.Read(Bytes(hex), out TcpOptions options);
        Assert.Equal((ushort)expected, options.SegmentSize);
    }

    [Theory]
    [InlineData(14, 14)]
    [InlineData(15, 14)]
    [InlineData(255, 14)]
    public void A_shift_is_bounded(byte shift, byte expected)
    {
        TcpOptions.Read([3, 3, shift], out TcpOptions options);
        Assert.Equal(expected, options.WindowShift);
    }

    [Fact]
    public void More_than_four_blocks_are_four()
    {
        byte[] two = Bytes("0512 00000001 00000002 00000005 00000009");
        TcpOptions.Read([.. two, .. two, .. two], out TcpOptions options);
        Assert.Equal(4, options.BlockCount);
    }

    [Fact]
    public void No_bytes_throw() => Gen.Byte.Array[0, 60].Sample(bytes =>
    {
        TcpOptions.Read(bytes, out TcpOptions options);
        Assert.InRange(options.BlockCount, 0, TcpOptions.MaximumBlocks);
        Assert.InRange(options.WindowShift ?? 0, 0, TcpOptions.MaximumShift);
        options.Write(new byte[TcpOptions.MaximumSize]);
    }, iter: 20_000);

    [Fact]
    public void Are_written_as_they_are_read() =>
        Gen.Select(Gen.UShort.Nullable(), Gen.Byte[0, 14].Nullable(), Gen.Bool, Gen.Bool, Gen.UInt, Gen.Int[0, 4]).Sample((size, shift, sack, stamps, stamp, blocks) =>
        {
            var options = new TcpOptions { SegmentSize = size, WindowShift = shift, SackPermitted = sack, HasTimestamps = stamps, TimestampValue = stamps ? stamp : 0, TimestampEcho = stamps ? ~stamp : 0 };
            for (int i = 0; i < blocks; i++)
                options.Add(new SackBlock(new((uint)i), new(stamp)));
            byte[] bytes = new byte[TcpOptions.MaximumSize];
            int length = options.Write(bytes);
            Assert.Equal(0, length % 4);
            TcpOptions.Read(bytes.AsSpan(0, length), out TcpOptions read);
            Assert.Equal((size, shift, sack, stamps, options.TimestampValue, options.TimestampEcho), (read.SegmentSize, read.WindowShift, read.SackPermitted, read.HasTimestamps, read.TimestampValue, read.TimestampEcho));
            Assert.Equal(options.SackBlocks[..read.BlockCount].ToArray(), read.SackBlocks.ToArray());
            Assert.True(read.BlockCount == blocks || length > 40 - 8, "a block was left out though there was room");
        }, iter: 2_000);
}
