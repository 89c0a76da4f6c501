using System.Buffers.Binary;
using System.Text;
using Hypha.Protocol.Guest;

namespace Hypha.Containers.Tests;

public sealed class BundleLayoutTests
{
    [Fact]
    public void The_disk_holds_magic_length_checksum_and_message_and_is_a_multiple_of_4_KiB()
    {
        var bundle = new Bundle { ContainerId = "x", Hostname = "host" };
        var disk = BundleLayout.Encode(bundle);
        Assert.Equal(4096, disk.Length);
        Assert.Equal("HYPHABDL", Encoding.ASCII.GetString(disk, 0, 8));
        int length = BinaryPrimitives.ReadInt32LittleEndian(disk.AsSpan(8));
        Assert.Equal(bundle, Bundle.Parser.ParseFrom(disk, 16, length));
    }

    [Fact]
    public void The_checksum_is_CRC_32C() // RFC 3720 B.4: 32 bytes of zeros give aa 36 91 8a, little endian
    {
        Assert.Equal(0x8A9136AAu, BundleLayout.Crc32C(new byte[32]));
    }
}
