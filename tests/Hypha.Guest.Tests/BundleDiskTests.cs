using CsCheck;
using Google.Protobuf;
using Hypha.Guest.Start;
using Hypha.Guest.Tests.Vm;
using Hypha.Protocol.Guest;

namespace Hypha.Guest.Tests;

public sealed class BundleDiskTests
{
    private static readonly Bundle s_bundle = new() { ContainerId = "id", Process = new Process { Args = { "sh" } }, Root = new Root { Device = "/dev/xvda" } };

    private static Bundle Read(byte[] disk) => BundleDisk.Read(new MemoryStream(disk));

    private static string Refusal(byte[] disk)
    {
        var e = Assert.Throws<StartException>(() => Read(disk));
        Assert.Equal(125u, e.ExitCode);
        Assert.StartsWith("the guest's configuration disk cannot be used: ", e.Message);
        return e.Message;
    }

    [Fact]
    public void A_disk_is_read_back() => Assert.Equal(s_bundle, Read(BundleFile.Disk(s_bundle)));

    [Fact] // RFC 3720 B.4: 32 bytes of zeros
    public void The_checksum_is_crc_32c() => Assert.Equal(0x8A9136AAu, BundleLayout.Crc32C(new byte[32]));

    [Fact]
    public void The_checksum_counts_odd_bytes_too() => Assert.Equal(0xE3069283u, BundleLayout.Crc32C("123456789"u8));

    [Fact]
    public void Every_flipped_bit_of_header_or_message_is_found()
    {
        byte[] disk = BundleFile.Disk(s_bundle);
        int size = BundleLayout.HeaderSize + s_bundle.CalculateSize();
        for (int bit = 0; bit < 8 * size; bit++)
        {
            byte[] bad = [.. disk];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            Refusal(bad);
        }
    }

    [Fact]
    public void A_length_beyond_the_limit_is_refused_before_anything_is_read()
    {
        byte[] disk = BundleFile.Disk(s_bundle);
        disk.AsSpan(8, 4).Fill(0xFF);
        Assert.Contains("4294967295", Refusal(disk));
    }

    [Fact]
    public void A_disk_cut_short_is_refused() => Assert.Contains("too short", Refusal(BundleFile.Disk(s_bundle)[..20]));

    [Fact]
    public void A_bundle_without_a_command_or_a_root_is_refused()
    {
        Assert.Contains("no command", Refusal(BundleFile.Disk(new Bundle { Root = new Root() })));
        Assert.Contains("no root", Refusal(BundleFile.Disk(new Bundle { Process = new Process { Args = { "sh" } } })));
        Assert.Contains("zero byte", Refusal(BundleFile.Disk(new Bundle { Root = new Root(), Process = new Process { Args = { "a\0b" } } })));
    }

    [Fact]
    public void Any_bytes_are_read_or_refused_with_a_sentence() =>
        Gen.OneOf(Gen.Byte.Array[0, 64], Gen.Byte.Array[0, 64].Select(BundleFile.Disk)).Sample(disk =>
        {
            try
            {
                Read(disk);
            }
            catch (StartException)
            {
                // the only way to fail
            }
        });
}
