using System.Buffers.Binary;
using Google.Protobuf;
using Hypha.Protocol.Guest;

namespace Hypha.Containers.Launch;

/// <summary>The guest's second disk; its layout is given in bundle.proto.</summary>
public static class BundleDisk
{
    private const int HeaderSize = 16; // bytes
    private const int Alignment = 4096; // what direct I/O wants of a loop device's file

    private static ReadOnlySpan<byte> Magic => "HYPHABDL"u8;

    public static byte[] Encode(Bundle bundle)
    {
        int length = bundle.CalculateSize();
        var disk = new byte[(HeaderSize + length + Alignment - 1) / Alignment * Alignment];
        var message = disk.AsSpan(HeaderSize, length);
        bundle.WriteTo(message);
        Magic.CopyTo(disk);
        BinaryPrimitives.WriteUInt32LittleEndian(disk.AsSpan(8), (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(disk.AsSpan(12), Crc32C(message));
        return disk;
    }

    // CRC-32C (Castagnoli), reflected, as RFC 3720 B.4 gives it.
    internal static uint Crc32C(ReadOnlySpan<byte> data)
    {
        uint crc = ~0u;
        foreach (byte b in data)
            crc = System.Numerics.BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
