using System.Buffers.Binary;

namespace Hypha.XenStore.Wire;

/// <summary>What precedes every message, in either direction (public/io/xs_wire.h, struct xsd_sockmsg); the host's byte order, here little endian.</summary>
/// <param name="RequestId">Chosen by who asks, repeated in the answer; 0 in a watch event.</param>
/// <param name="TransactionId">0 outside a transaction.</param>
/// <param name="Length">Of the payload that follows, in bytes.</param>
public readonly record struct MessageHeader(MessageType Type, uint RequestId, uint TransactionId, int Length)
{
    public const int Size = 16; // bytes

    /// <summary>XENSTORE_PAYLOAD_MAX. Who sends more is disconnected.</summary>
    public const int MaximumPayload = 4096;

    /// <returns>False when the length is more than the protocol allows: the stream is of no use from there on.</returns>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out MessageHeader header)
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);                // 12..16, len
        header = length > MaximumPayload ? default : new MessageHeader(
            (MessageType)BinaryPrimitives.ReadUInt32LittleEndian(bytes),                   // 0..4, type
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),                           // 4..8, req_id
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),                           // 8..12, tx_id
            (int)length);
        return length <= MaximumPayload;
    }

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)Type);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], RequestId);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], TransactionId);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], (uint)Length);
    }
}
