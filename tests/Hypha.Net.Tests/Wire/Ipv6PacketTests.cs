using CsCheck;
using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class Ipv6PacketTests
{
    private const string Addresses = "fd750000000000000000000000000002 20010db8000000000000000000000002"; // fd75::2 to 2001:db8::2
    private const string Udp = "1388 0007 000d 7d40 68656c6c6f"; // port 5000 to 7, "hello"

    private static readonly byte[] s_packet = Bytes($"60000000 000d 11 40 {Addresses} {Udp}");

    // Hop-by-hop options with router alert (RFC 2711), destination options with padding, then the same.
    private static readonly byte[] s_withExtensions = Bytes($"60000000 001d 00 40 {Addresses}  3c 00 0502 0000 0100  11 00 0104 00000000  {Udp}");

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => Ipv6Packet.TryParse(bytes, out Ipv6Packet packet, out _) is var fault and not WireFault.None ? fault : Touch(packet);

    private static WireFault Touch(in Ipv6Packet packet)
    {
        _ = (packet.TrafficClass, packet.HopLimit, packet.Protocol, packet.Source, packet.Destination);
        _ = packet.Payload.Length;
        if (packet.IsFragment)
            _ = (packet.FragmentOffset, packet.MoreFragments, packet.Identification, packet.HeadersBeforeFragment.Length);
        return WireFault.None;
    }

    [Fact]
    public void Is_read_with_and_without_extension_headers()
    {
        foreach (byte[] bytes in new[] { s_packet, s_withExtensions })
        {
            Assert.Equal(WireFault.None, Ipv6Packet.TryParse(bytes, out Ipv6Packet packet, out _));
            Assert.Equal((Address("fd75::2"), Address("2001:db8::2"), IpProtocol.Udp, (byte)64), (packet.Source, packet.Destination, packet.Protocol, packet.HopLimit));
            Assert.Equal(Bytes(Udp), packet.Payload.ToArray());
            Assert.False(packet.IsFragment);
        }
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        foreach (byte[] packet in new[] { s_packet, s_withExtensions, Fragment(0x0101) })
        {
            IsRefusedAtEveryShorterLength(packet, Parse);
            NeverThrows(packet, Parse);
        }
    }

    [Theory]
    [InlineData(0, 0x40, WireFault.Version)]
    [InlineData(5, 0x1E, WireFault.Truncated)]      // a byte more than there is
    [InlineData(4, 0xFF, WireFault.Truncated)]
    [InlineData(5, 7, WireFault.Truncated)]         // an extension header longer than the packet
    [InlineData(41, 0xFF, WireFault.Truncated)]
    [InlineData(40, 0, WireFault.Options)]          // hop-by-hop a second time (RFC 8200 4.1)
    [InlineData(48, 0, WireFault.Options)]
    public void A_field_out_of_range_is_refused(int at, byte value, WireFault expected) => Assert.Equal(expected, Parse(s_withExtensions.With(at, value)));

    [Theory]
    [InlineData(8, WireFault.None)]
    [InlineData(9, WireFault.TooDeep)]
    [InlineData(1_000, WireFault.TooDeep)]
    public void A_chain_of_headers_has_an_end(int count, WireFault expected)
    {
        string chain = string.Concat(Enumerable.Repeat("3c00010400000000", count - 1)) + "1100010400000000";
        Assert.Equal(expected, Parse(Bytes($"60000000 {count * 8 + 13:x4} 3c 40 {Addresses} {chain} {Udp}")));
    }

    [Theory]
    [InlineData("ff020000000000000000000000000001", "20010db8000000000000000000000002")] // a group speaks for nobody
    [InlineData("00000000000000000000ffff0a4b0002", "20010db8000000000000000000000002")] // IPv4 in IPv6's clothes
    [InlineData("fd750000000000000000000000000002", "00000000000000000000ffff7f000001")]
    public void An_address_that_no_packet_may_have_is_refused(string source, string destination) =>
        Assert.Equal(WireFault.Address, Parse(Bytes($"60000000 000d 11 40 {source} {destination} {Udp}")));

    [Fact]
    public void A_fragment_says_where_it_belongs()
    {
        byte[] bytes = Fragment(0x0101);
        Assert.Equal(WireFault.None, Ipv6Packet.TryParse(bytes, out Ipv6Packet packet, out _));
        Assert.Equal((true, 0x100, true, 0xDEADBEEF, IpProtocol.Udp, 40), (packet.IsFragment, packet.FragmentOffset, packet.MoreFragments, packet.Identification, packet.Protocol, packet.HeadersBeforeFragment.Length));
        // RFC 6946: an "atomic" one is whole.
        Assert.Equal(WireFault.None, Ipv6Packet.TryParse(Fragment(0), out packet, out _));
        Assert.Equal((IpProtocol.Udp, 13), (packet.Protocol, packet.Payload.Length));
    }

    [Fact]
    public void Is_written_as_it_is_read() =>
        Gen.Select(Gen.ULong, Gen.ULong, Gen.Byte, Gen.Int[0, 65_535], Gen.Byte, Gen.Byte).Sample((high, low, protocol, length, hops, traffic) =>
        {
            if ((IpProtocol)protocol is IpProtocol.HopByHop or IpProtocol.Routing or IpProtocol.Fragment or IpProtocol.DestinationOptions)
                return;
            byte[] bytes = new byte[40 + length];
            var source = new IpAddress(high & 0x7FFF_FFFF_FFFF_FFFF | 1, low);
            Ipv6Packet.Write(bytes, source, Address("fd75::2"), (IpProtocol)protocol, length, hops, traffic);
            Assert.Equal(WireFault.None, Ipv6Packet.TryParse(bytes, out Ipv6Packet packet, out _));
            Assert.Equal((source, (IpProtocol)protocol, length, hops, traffic), (packet.Source, packet.Protocol, packet.Payload.Length, packet.HopLimit, packet.TrafficClass));
        }, iter: 500);

    private static byte[] Fragment(int offsetAndMore) => Bytes($"60000000 0015 2c 40 {Addresses} 11 00 {offsetAndMore:x4} deadbeef {Udp}");
}
