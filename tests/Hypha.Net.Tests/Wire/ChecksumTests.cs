using CsCheck;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Wire;

public sealed class ChecksumTests
{
    [Fact]
    public void The_example_of_RFC_1071_3() => Assert.Equal(0x220D, Checksum.Of([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]));

    [Fact]
    public void Is_the_sum_of_sixteen_bit_words_at_any_length_and_cut() =>
        Gen.Select(Gen.Byte.Array[0, 2000], Gen.Int[0, 1000]).Sample((bytes, cut) =>
        {
            cut = Math.Min(cut * 2, bytes.Length & ~1);
            Assert.Equal(Naive(bytes), Checksum.Of(bytes));
            Assert.Equal(Naive(bytes), default(Checksum).Add(bytes.AsSpan(..cut)).Add(bytes.AsSpan(cut..)).Value);
        });

    [Fact]
    public void Carries_are_not_lost_in_the_longest_packet()
    {
        byte[] bytes = new byte[65535];
        Array.Fill(bytes, (byte)0xFF);
        Assert.Equal(Naive(bytes), Checksum.Of(bytes));
    }

    [Fact]
    public void The_pseudo_headers_are_as_if_written_out() =>
        Gen.Select(Gen.Byte.Array[16], Gen.Byte.Array[16], Gen.Byte, Gen.UShort).Sample((source, destination, protocol, length) =>
        {
            Assert.Equal(Naive([.. source, .. destination, 0, 0, (byte)(length >> 8), (byte)length, 0, 0, 0, protocol]),
                Checksum.OfPseudoHeader(IpAddress.ReadV6(source), IpAddress.ReadV6(destination), (IpProtocol)protocol, length).Value);
            Assert.Equal(Naive([.. source[..4], .. destination[..4], 0, protocol, (byte)(length >> 8), (byte)length]),
                Checksum.OfPseudoHeader(IpAddress.ReadV4(source), IpAddress.ReadV4(destination), (IpProtocol)protocol, length).Value);
        });

    private static ushort Naive(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            sum += i % 2 == 0 ? (uint)bytes[i] << 8 : bytes[i];
            sum = (sum & 0xFFFF) + (sum >> 16);
        }
        return (ushort)~sum;
    }
}
