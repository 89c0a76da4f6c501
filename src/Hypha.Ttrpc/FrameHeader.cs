using System.Buffers.Binary;

namespace Hypha.Ttrpc;

/// <summary>The header before each message (PROTOCOL.md, "Message Frame"): numbers in network order.</summary>
internal readonly record struct FrameHeader(uint Length, uint StreamId, MessageType Type, MessageFlags Flags)
{
    public const int Size = 10; // bytes

    public static FrameHeader Read(ReadOnlySpan<byte> bytes) => new(
        Length: BinaryPrimitives.ReadUInt32BigEndian(bytes),             // 0..4, of what follows the header
        StreamId: BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]),      // 4..8
        Type: (MessageType)bytes[8],                                     // 8
        Flags: (MessageFlags)bytes[9]);                                  // 9

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Length);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], StreamId);
        bytes[8] = (byte)Type;
        bytes[9] = (byte)Flags;
    }
}

internal enum MessageType : byte
{
    Request = 1,
    Response = 2,
    Data = 3,
}

[Flags]
internal enum MessageFlags : byte
{
    None = 0,
    RemoteClosed = 1,
    RemoteOpen = 2,
    NoData = 4,
}
