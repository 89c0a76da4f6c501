using System.Buffers.Binary;
using Google.Protobuf;
using Hypha.Protocol.Guest;

namespace Hypha.Guest.Tests.Vm;

internal static class BundleFile
{
    /// <summary>A bundle as its disk.</summary>
    public static byte[] Disk(Bundle bundle) => Disk(bundle.ToByteArray());

    public static byte[] Disk(byte[] message)
    {
        int size = (BundleLayout.HeaderSize + message.Length + 4095) / 4096 * 4096;
        var disk = new byte[size];
        "HYPHABDL"u8.CopyTo(disk);
        BinaryPrimitives.WriteUInt32LittleEndian(disk.AsSpan(8), (uint)message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(disk.AsSpan(12), BundleLayout.Crc32C(message));
        message.CopyTo(disk.AsSpan(BundleLayout.HeaderSize));
        return disk;
    }
}
