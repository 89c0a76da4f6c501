using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class IcmpMessageTests
{
    private static readonly IpAddress s_guest = Address("10.75.0.2"), s_world = Address("192.0.2.2"), s_guest6 = Address("fd75::2"), s_world6 = Address("2001:db8::2");

    // Echo requests, identifier 1, sequence 2.
    private static readonly byte[] s_echo = Bytes("08 00 ebec 0001 0002 0001020304050607"), s_echo6 = Bytes("80 00 8fbc 0001 0002 61626364");

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => IcmpMessage.TryParse(bytes, s_guest, s_world, out _);

    private static WireFault Parse6(ReadOnlySpan<byte> bytes) => IcmpMessage.TryParse(bytes, s_guest6, s_world6, out _);

    [Fact]
    public void Is_read_and_written_alike()
    {
        Assert.Equal(WireFault.None, IcmpMessage.TryParse(s_echo, s_guest, s_world, out IcmpMessage echo));
        Assert.Equal(((byte)IcmpType.Echo, (byte)0, 1, 2, 8), (echo.Type, echo.Code, echo.EchoId, echo.EchoSequence, echo.Body.Length));
        byte[] written = [.. s_echo];
        IcmpMessage.WriteHeader(written, s_guest, s_world, 8, 0, 0x0001_0002);
        Assert.Equal(s_echo, written);

        Assert.Equal(WireFault.None, IcmpMessage.TryParse(s_echo6, s_guest6, s_world6, out echo));
        Assert.Equal((byte)Icmp6Type.Echo, echo.Type);
        Assert.Equal("abcd"u8.ToArray(), echo.Body.ToArray());
        written = [.. s_echo6];
        IcmpMessage.WriteHeader(written, s_guest6, s_world6, 128, 0, 0x0001_0002);
        Assert.Equal(s_echo6, written);
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        IsRefusedAtEveryShorterLength(s_echo[..8].With(2, 0xF7).With(3, 0xFC), Parse); // CVE-2020-10756: libslirp read behind it
        NeverThrows(s_echo, Parse);
        NeverThrows(s_echo6, Parse6);
        for (int length = 0; length < IcmpMessage.HeaderSize; length++)
            Assert.Equal(WireFault.Truncated, IcmpMessage.TryParse(s_echo.AsSpan(0, length), s_guest, s_world, out _, checkSum: false));
    }

    [Fact]
    public void Any_bit_that_flips_breaks_the_checksum()
    {
        for (int bit = 0; bit < s_echo6.Length * 8; bit++)
            Assert.Equal(WireFault.Checksum, Parse6(s_echo6.With(bit / 8, (byte)(s_echo6[bit / 8] ^ 1 << bit % 8))));
        // RFC 4443 2.3: the addresses are part of it.
        Assert.Equal(WireFault.Checksum, IcmpMessage.TryParse(s_echo6, s_guest6, s_guest6, out _));
    }
}
