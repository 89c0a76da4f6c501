using CsCheck;
using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class Ipv4PacketTests
{
    // UDP, "hello", 10.75.0.2 to 192.0.2.2, DF.
    private static readonly byte[] s_packet = Bytes("45 00 0021 1c46 4000 40 11 5237 0a4b0002 c0000202  1388 0007 000d dc23 68656c6c6f");

    // The same with the option "router alert" (RFC 2113).
    private static readonly byte[] s_withOption = Bytes("46 00 0025 1c46 4000 40 11 bd2e 0a4b0002 c0000202 94040000  1388 0007 000d dc23 68656c6c6f");

    private static WireFault Parse(ReadOnlySpan<byte> bytes) => Ipv4Packet.TryParse(bytes, out Ipv4Packet packet) is var fault and not WireFault.None ? fault : Touch(packet);

    /// <summary>Looks at all that a packet has.</summary>
    private static WireFault Touch(in Ipv4Packet packet)
    {
        _ = (packet.TrafficClass, packet.Identification, packet.TimeToLive, packet.Protocol, packet.Source, packet.Destination, packet.FragmentOffset);
        Assert.InRange(packet.Payload.Length, 0, Ipv4Packet.MaximumSize - Ipv4Packet.HeaderSize);
        return WireFault.None;
    }

    [Fact]
    public void Is_read()
    {
        Assert.Equal(WireFault.None, Ipv4Packet.TryParse(s_packet, out Ipv4Packet packet));
        Assert.Equal((Address("10.75.0.2"), Address("192.0.2.2"), IpProtocol.Udp, (byte)64, (ushort)0x1C46), (packet.Source, packet.Destination, packet.Protocol, packet.TimeToLive, packet.Identification));
        Assert.Equal((true, false, false, 0), (packet.DontFragment, packet.MoreFragments, packet.IsFragment, packet.FragmentOffset));
        Assert.Equal(s_packet[20..], packet.Payload.ToArray());
        Assert.Equal(WireFault.None, Ipv4Packet.TryParse(s_withOption, out packet));
        Assert.Equal(s_packet[20..], packet.Payload.ToArray());
    }

    [Fact]
    public void The_header_of_another_implementation_is_read_and_written_alike()
    {
        // The example of a checksum that is all over the web: UDP of 115 bytes from 192.168.0.1 to 192.168.0.199.
        byte[] header = Bytes("4500 0073 0000 4000 4011 b861 c0a80001 c0a800c7");
        byte[] written = new byte[20];
        Ipv4Packet.Write(written, Address("192.168.0.1"), Address("192.168.0.199"), IpProtocol.Udp, 0x73);
        Assert.Equal(header, written);
    }

    [Fact]
    public void Too_short_is_refused_and_no_bytes_throw()
    {
        foreach (byte[] packet in new[] { s_packet, s_withOption })
        {
            IsRefusedAtEveryShorterLength(packet, Parse);
            NeverThrows(packet, Parse);
            // A wrong sum hides what lies behind it.
            NeverThrows(packet, bytes => Ipv4Packet.TryParse(bytes, out Ipv4Packet parsed, checkHeader: false) is var fault and not WireFault.None ? fault : Touch(parsed));
        }
    }

    [Fact]
    public void Padding_is_no_part_of_it()
    {
        Assert.Equal(WireFault.None, Ipv4Packet.TryParse([.. s_packet, 1, 2, 3], out Ipv4Packet packet));
        Assert.Equal(s_packet, packet.Bytes.ToArray());
    }

    [Theory]
    [InlineData(0, 0x55, WireFault.Version)]
    [InlineData(0, 0x65, WireFault.Version)]
    [InlineData(0, 0x40, WireFault.HeaderLength)]
    [InlineData(0, 0x44, WireFault.HeaderLength)]
    [InlineData(0, 0x4F, WireFault.Length)]     // 60 bytes of header in 33
    [InlineData(3, 19, WireFault.Length)]
    [InlineData(3, 0, WireFault.Length)]
    [InlineData(3, 34, WireFault.Truncated)]
    [InlineData(2, 0xFF, WireFault.Truncated)]
    [InlineData(8, 63, WireFault.Checksum)]
    public void A_field_out_of_range_is_refused(int at, byte value, WireFault expected) => Assert.Equal(expected, Parse(s_packet.With(at, value)));

    [Fact]
    public void Is_written_as_it_is_read() =>
        Gen.Select(Gen.UInt, Gen.UInt, Gen.Byte, Gen.Int[20, 65_535], Gen.Byte, Gen.UShort, Gen.Int[0, 8_191]).Sample((source, destination, protocol, length, hops, identification, offset) =>
        {
            byte[] bytes = new byte[length];
            Ipv4Packet.WriteFragment(bytes, IpAddress.OfV4(source), IpAddress.OfV4(destination), (IpProtocol)protocol, length - 20, hops, identification, offset * 8, more: true);
            Assert.Equal(WireFault.None, Ipv4Packet.TryParse(bytes, out Ipv4Packet packet));
            Assert.Equal((source, destination, protocol, hops, identification, offset * 8, true), (packet.Source.V4, packet.Destination.V4, (byte)packet.Protocol, packet.TimeToLive, packet.Identification, packet.FragmentOffset, packet.MoreFragments));
            Assert.Equal(length - 20, packet.Payload.Length);
        }, iter: 500);
}
