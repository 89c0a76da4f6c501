using Hypha.Net.Wire;
using static Hypha.Net.Tests.Wire.Hex;

namespace Hypha.Net.Tests.Wire;

public sealed class RouterAlertTests
{
    [Fact]
    public void IPv4_headers_are_those_that_Linux_writes()
    {
        byte[] bytes = new byte[RouterAlert.SizeV4 + 16];
        Assert.Equal(RouterAlert.SizeV4, RouterAlert.WriteHeaders(bytes, Address("10.75.0.2"), Address("224.0.0.22"), IpProtocol.Igmp, 16));
        Assert.Equal(Bytes("46 c0 0028 0000 4000 01 02 f9ac 0a4b0002 e0000016 94040000"), bytes[..RouterAlert.SizeV4]);
    }

    [Fact]
    public void IPv6_headers_are_those_that_Linux_writes()
    {
        byte[] bytes = new byte[RouterAlert.SizeV6];
        Assert.Equal(RouterAlert.SizeV6, RouterAlert.WriteHeaders(bytes, Address("fe80::75:aff:fe4b:2"), Address("ff02::16"), IpProtocol.Icmp6, 28));
        // but for the traffic class, which Linux leaves 0
        Assert.Equal(Bytes("6c000000 0024 00 01 fe80000000000000 00750afffe4b0002 ff020000000000000000000000000016 3a 00 05020000 0100"), bytes);
    }
}
