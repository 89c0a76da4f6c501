using Hypha.Net.Wire;

namespace Hypha.Net.Tcp;

/// <summary>Sends segments to a guest.</summary>
public interface ITcpSender
{
    /// <summary>Sends a segment whose payload lies in up to two places.</summary>
    /// <param name="key">The segment goes from its remote part to its guest.</param>
    /// <param name="options">A multiple of 4 bytes, at most 40.</param>
    /// <param name="segmentSize">Payload bytes of each segment on the wire; the payload may be longer (segmentation offload).</param>
    /// <returns>False when there is no room just now.</returns>
    bool TrySendTcp(in FlowKey key, SequenceNumber sequence, SequenceNumber acknowledgment, TcpFlags flags, ushort window, ReadOnlySpan<byte> options,
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, int segmentSize);
}

/// <summary>What carries a connection's segments, and wakes it.</summary>
public interface ITcpNetwork : ITcpSender
{
    /// <summary>The handshake with the guest is done, whoever began it.</summary>
    void Opened(TcpConnection connection);

    /// <summary>The connection is gone, and its key free.</summary>
    void Removed(TcpConnection connection, bool wasOpen);

    /// <summary>Has <see cref="TcpConnection.Turn"/> called after the frames and events that are at hand.</summary>
    void AtTurnEnd(TcpConnection connection);

    /// <summary>Has <see cref="TcpConnection.RoomAgain"/> called once there is room for segments again. Each connection waits once.</summary>
    void WaitForRoom(TcpConnection connection);

    /// <summary>Has <see cref="TcpConnection.BuffersAgain"/> called once there are buffers again. Each connection waits once.</summary>
    void WaitForBuffers(TcpConnection connection);

    /// <summary>A buffer that others may wait for is free. Not the moment to give them their turns.</summary>
    void BuffersFreed();
}
