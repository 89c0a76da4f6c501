using Hypha.Linux;
using Hypha.XenStore.Wire;

namespace Hypha.XenStore;

/// <summary>A question to the store.</summary>
/// <param name="What">Its subject in an error's sentence: "reading /local/domain/3/name".</param>
/// <param name="Tolerated">A refusal that is as good as success where nobody asks for the answer.</param>
internal readonly record struct StoreRequest(MessageType Type, byte[] Payload, string What, Errno Tolerated = Errno.None)
{
    public int Size => MessageHeader.Size + Payload.Length;

    /// <summary>The refusal of a message that the protocol does not carry.</summary>
    public StoreException? TooLarge => Payload.Length <= MessageHeader.MaximumPayload ? null
        : new StoreException($"{What}: the message would be {Payload.Length} bytes, of {MessageHeader.MaximumPayload} at most", Errno.E2BIG);
}
