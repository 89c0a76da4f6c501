using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;

namespace Hypha.Protocol.Guest;

/// <summary>How a bundle lies on the guest's second disk, as bundle.proto gives it: the one place that host and guest share.</summary>
public static class BundleLayout
{
    public const int HeaderSize = 16; // bytes: magic 0..8, length 8..12, CRC-32C 12..16
    public const int Alignment = 4096; // bytes: what direct I/O wants of a loop device's file

    public static ReadOnlySpan<byte> Magic => "HYPHABDL"u8;

    /// <summary>The disk's content: header, message, zeros up to a multiple of <see cref="Alignment"/>.</summary>
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

    /// <summary>CRC-32C (Castagnoli), reflected, as RFC 3720 B.4 gives it.</summary>
    public static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        foreach (byte b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
