using Hypha.Net.Wire;

namespace Hypha.Net.Link;

/// <summary>Takes what a link receives.</summary>
public interface IFrameReceiver
{
    /// <param name="offload">What the sender left undone. A guest wrote it: nothing in it has been checked.</param>
    /// <param name="frame">From the Ethernet header on; valid during the call.</param>
    void Receive(in VirtioNetHeader offload, ReadOnlySpan<byte> frame, long now);
}

/// <summary>Frames to and from one guest, or whatever is behind an interface.</summary>
public interface ILink : IDisposable
{
    /// <summary>The longest IP packet that goes over it in one piece, in bytes.</summary>
    int Mtu { get; }

    /// <summary>Takes TCP segments of up to 64 KiB and cuts them itself, and finishes checksums.</summary>
    bool Segments { get; }

    /// <summary>To wait for: readable when frames have come, writable when there is room again.</summary>
    int FileDescriptor { get; }

    /// <summary>The file is writable again: what was taken and could not be sent yet goes first.</summary>
    void RoomAgain();

    /// <summary>Hands over frames that have come.</summary>
    /// <param name="limit">Of frames.</param>
    /// <returns>How many; fewer than the limit when there are no more.</returns>
    int Receive(IFrameReceiver receiver, int limit, long now);

    /// <summary>Sends a frame that lies in up to three places.</summary>
    /// <returns>False when there is no room just now.</returns>
    bool TrySend(in VirtioNetHeader offload, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first = default, ReadOnlySpan<byte> second = default);
}
