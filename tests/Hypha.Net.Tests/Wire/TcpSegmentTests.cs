using CsCheck;
using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class TcpSegmentTests
{
    private static readonly IpAddress s_guest = Address("10.75.0.2"), s_world = Address("192.0.2.2");

    // Linux' SYN: MSS 1460, SACK permitted, timestamps, no operation, window scale 7.
    private static readonly byte[] s_syn = Bytes("c000 01bb 1a2b3c4d 00000000 a0 02 faf0 4648 0000  020405b4 0402 080a 00112233 00000000 01 030307");

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => TcpSegment.TryParse(bytes, s_guest, s_world, out _);

    private static WireFault ParseUnchecked(ReadOnlySpan<byte> bytes)
    {
        if (TcpSegment.TryParse(bytes, s_guest, s_world, out TcpSegment segment, checkSum: false) is var fault and not WireFault.None)
            return fault;
        TcpOptions.Read(segment.Options, out _);
        Assert.InRange(segment.SequenceLength, segment.Payload.Length, segment.Payload.Length + 2);
        return WireFault.None;
    }

    [Fact]
    public void Is_read()
    {
        Assert.Equal(WireFault.None, TcpSegment.TryParse(s_syn, s_guest, s_world, out TcpSegment segment));
        Assert.Equal((49_152, 443, 0x1A2B3C4Du, 0u, TcpFlags.Syn, 64_240), (segment.SourcePort, segment.DestinationPort, segment.Sequence.Value, segment.Acknowledgment.Value, segment.Flags, segment.Window));
        Assert.Equal((40, 0, 1), (segment.HeaderLength, segment.Payload.Length, segment.SequenceLength));
        // Over IPv6: PSH and ACK with "GET".
        Assert.Equal(WireFault.None, TcpSegment.TryParse(Bytes("c000 0050 00000001 00000002 50 18 0200 26fe 0000 474554"), Address("fd75::2"), Address("2001:db8::2"), out segment));
        Assert.Equal("GET"u8.ToArray(), segment.Payload.ToArray());
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        IsRefusedAtEveryShorterLength(s_syn, Parse);
        IsRefusedAtEveryShorterLength(s_syn, ParseUnchecked);
        NeverThrows(s_syn, ParseUnchecked);
    }

    [Theory]
    [InlineData(12, 0x00, WireFault.HeaderLength)]
    [InlineData(12, 0x40, WireFault.HeaderLength)]
    [InlineData(12, 0xB0, WireFault.Truncated)]
    [InlineData(12, 0xF0, WireFault.Truncated)]
    [InlineData(13, 0x12, WireFault.Checksum)]
    [InlineData(17, 0x49, WireFault.Checksum)]
    public void A_field_out_of_range_is_refused(int at, byte value, WireFault expected) => Assert.Equal(expected, Parse(s_syn.With(at, value)));

    [Fact]
    public void Another_address_is_another_checksum() => Assert.Equal(WireFault.Checksum, TcpSegment.TryParse(s_syn, s_guest, Address("192.0.2.3"), out _));

    [Fact]
    public void Is_written_as_it_is_read() =>
        Gen.Select(Gen.UShort, Gen.UShort, Gen.UInt, Gen.UInt, Gen.Byte, Gen.UShort, Gen.Int[0, 10]).Sample((from, to, sequence, acknowledgment, flags, window, words) =>
        {
            byte[] bytes = new byte[20 + 4 * words];
            TcpSegment.WriteHeader(bytes, from, to, new(sequence), new(acknowledgment), (TcpFlags)flags, window);
            TcpSegment.WriteChecksum(bytes, Checksum.OfPseudoHeader(s_guest, s_world, IpProtocol.Tcp, bytes.Length).Add(bytes).Value);
            Assert.Equal(WireFault.None, TcpSegment.TryParse(bytes, s_guest, s_world, out TcpSegment segment));
            Assert.Equal((from, to, sequence, acknowledgment, flags, window, 4 * words),
                (segment.SourcePort, segment.DestinationPort, segment.Sequence.Value, segment.Acknowledgment.Value, (byte)segment.Flags, segment.Window, segment.Options.Length));
        }, iter: 500);
}
