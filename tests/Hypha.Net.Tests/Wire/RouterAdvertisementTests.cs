using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class RouterAdvertisementTests
{
    [Fact]
    public void Is_written_field_by_field()
    {
        IpAddress source = Address("fe80::48ff:fe59:5001"), destination = Address("ff02::1");
        byte[] bytes = new byte[RouterAdvertisement.Size];
        bytes.AsSpan().Fill(0xEE); // nothing of what was there before may stay
        new RouterAdvertisement(Mac("02:00:48:59:50:01"), new Subnet(Address("fd75::2"), 64), 1_500, Address("fd75::1"), 1_800).Write(bytes, source, destination);
        Assert.Equal(WireFault.None, IcmpMessage.TryParse(bytes, source, destination, out _)); // the checksum
        Assert.Equal(Bytes($"""
            86 00 {bytes[2]:x2}{bytes[3]:x2} 40 40 0708 00000000 00000000
            01 01 020048595001
            03 04 40 c0 00000708 00000708 00000000 fd750000000000000000000000000000
            05 01 0000 000005dc
            19 03 0000 00000708 fd750000000000000000000000000001
            """), bytes);
    }
}
