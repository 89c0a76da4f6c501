using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class UdpDatagramTests
{
    private static readonly IpAddress s_guest = Address("10.75.0.2"), s_world = Address("192.0.2.2"), s_guest6 = Address("fd75::2"), s_world6 = Address("2001:db8::2");

    // "hello" from port 5000 to 7.
    private static readonly byte[] s_datagram = Bytes("1388 0007 000d dc23 68656c6c6f"), s_datagram6 = Bytes("1388 0007 000d 7d40 68656c6c6f");

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => UdpDatagram.TryParse(bytes, s_guest, s_world, out _);

    private static WireFault ParseUnchecked(ReadOnlySpan<byte> bytes)
    {
        if (UdpDatagram.TryParse(bytes, s_guest, s_world, out UdpDatagram datagram, checkSum: false) is var fault and not WireFault.None)
            return fault;
        _ = datagram.Payload.Length;
        return WireFault.None;
    }

    [Fact]
    public void Is_read_and_written_alike()
    {
        foreach (var (bytes, source, destination) in new[] { (s_datagram, s_guest, s_world), (s_datagram6, s_guest6, s_world6) })
        {
            Assert.Equal(WireFault.None, UdpDatagram.TryParse(bytes, source, destination, out UdpDatagram datagram));
            Assert.Equal((5_000, 7), (datagram.SourcePort, datagram.DestinationPort));
            Assert.Equal("hello"u8.ToArray(), datagram.Payload.ToArray());
            byte[] written = [.. new byte[8], .. "hello"u8];
            UdpDatagram.WriteHeader(written, source, destination, 5_000, 7);
            Assert.Equal(bytes, written);
        }
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        IsRefusedAtEveryShorterLength(s_datagram, Parse); // CVE-2021-3593 and 3594: libslirp read behind it
        IsRefusedAtEveryShorterLength(s_datagram, ParseUnchecked);
        NeverThrows(s_datagram, Parse);
        NeverThrows(s_datagram, ParseUnchecked);
    }

    [Theory]
    [InlineData(5, 0, WireFault.Length)]
    [InlineData(5, 7, WireFault.Length)]
    [InlineData(5, 14, WireFault.Truncated)]
    [InlineData(4, 0xFF, WireFault.Truncated)]
    [InlineData(12, 0x6E, WireFault.Checksum)]
    public void A_field_out_of_range_is_refused(int at, byte value, WireFault expected) => Assert.Equal(expected, Parse(s_datagram.With(at, value)));

    [Fact]
    public void What_lies_behind_its_length_is_no_part_of_it()
    {
        Assert.Equal(WireFault.None, UdpDatagram.TryParse([.. s_datagram, 9, 9], s_guest, s_world, out UdpDatagram datagram));
        Assert.Equal(5, datagram.Payload.Length);
    }

    [Fact]
    public void Only_IPv4_knows_datagrams_without_a_checksum()
    {
        Assert.Equal(WireFault.None, Parse(s_datagram.With(6, 0).With(7, 0)));
        Assert.Equal(WireFault.Checksum, UdpDatagram.TryParse(s_datagram6.With(6, 0).With(7, 0), s_guest6, s_world6, out _, checkSum: false));
    }

    [Fact]
    public void A_sum_of_0_is_written_as_all_ones()
    {
        // Two bytes of data that bring the sum to 0.
        byte[] datagram = new byte[10];
        UdpDatagram.WriteHeader(datagram, s_guest, s_world, 1, 2);
        datagram.AsSpan(6, 2).CopyTo(datagram.AsSpan(8));
        UdpDatagram.WriteHeader(datagram, s_guest, s_world, 1, 2);
        Assert.Equal([0xFF, 0xFF], datagram[6..8]);
        Assert.Equal(WireFault.None, Parse(datagram));
    }
}
