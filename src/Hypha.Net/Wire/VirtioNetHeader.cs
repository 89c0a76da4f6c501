using System.Buffers.Binary;

namespace Hypha.Net.Wire;

/// <summary>How a frame that is longer than the link's MTU is to be cut (virtio 1.2, 5.1.6, virtio_net_hdr.gso_type).</summary>
public enum Segmentation : byte
{
    None = 0,
    TcpV4 = 1,
    Udp = 3,
    TcpV6 = 4,
    UdpLayer4 = 5,
}

/// <summary>
/// What goes with a frame where checksums and segmentation are left to whoever sends it on the wire
/// (linux/virtio_net.h, struct virtio_net_hdr; packet(7), PACKET_VNET_HDR). Little-endian, as all machines of ours are.
/// </summary>
/// <param name="NeedsChecksum">The field at <paramref name="ChecksumStart"/> + <paramref name="ChecksumOffset"/> holds the pseudo header's sum alone.</param>
/// <param name="DataValid">The checksums were verified.</param>
/// <param name="HeaderLength">Ethernet, IP and TCP headers: what is repeated in each segment.</param>
/// <param name="SegmentSize">Data bytes in each segment.</param>
public readonly record struct VirtioNetHeader(bool NeedsChecksum, bool DataValid, Segmentation Segmentation, ushort HeaderLength, ushort SegmentSize,
    ushort ChecksumStart, ushort ChecksumOffset)
{
    public const int Size = 10; // bytes

    private const byte EcnFlag = 0x80;

    /// <summary>What never was on a wire may lack its checksum: the other end of the link left it out, and vouches for the bytes.</summary>
    public bool IsVouchedFor => NeedsChecksum || DataValid;

    public static VirtioNetHeader Read(ReadOnlySpan<byte> bytes) => new(
        NeedsChecksum: (bytes[0] & 1) != 0,
        DataValid: (bytes[0] & 2) != 0,
        (Segmentation)(bytes[1] & ~EcnFlag),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]));

    public void Write(Span<byte> to)
    {
        to[0] = (byte)((NeedsChecksum ? 1 : 0) | (DataValid ? 2 : 0));
        to[1] = (byte)Segmentation;
        BinaryPrimitives.WriteUInt16LittleEndian(to[2..], HeaderLength);
        BinaryPrimitives.WriteUInt16LittleEndian(to[4..], SegmentSize);
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], ChecksumStart);
        BinaryPrimitives.WriteUInt16LittleEndian(to[8..], ChecksumOffset);
    }
}
