using Hypha.Linux;
using Hypha.XenStore.Wire;

namespace Hypha.XenStore;

/// <summary>
/// Messages through the kernel (/dev/xen/xenbus), which shares its own ring with the store among processes: in a guest the only
/// way, in dom0 one that needs no socket. The kernel takes one message a write.
/// </summary>
internal sealed class XenBusTransport(FileDescriptor device, string name) : IStoreTransport
{
    // The answer to a last, harmless question wakes the reader: a blocked read(2) ends in no other way.
    private static readonly byte[] s_lastQuestion = LastQuestion();

    public string Name => name;

    public static XenBusTransport Open(string path) => new(FileDescriptor.Open(path, OpenFlags.ReadWrite), path);

    public int Read(Span<byte> buffer) => device.Read(buffer, $"reading {name}");

    public void Write(ReadOnlySpan<byte> messages)
    {
        while (!messages.IsEmpty)
        {
            if (!MessageHeader.TryParse(messages, out MessageHeader header))
                throw new ArgumentException("a message is longer than the protocol allows", nameof(messages));
            int length = MessageHeader.Size + header.Length;
            int written = device.Write(messages[..length], $"writing to {name}");
            if (written != length)
                throw new IOException($"writing to {name}: {written} of a message's {length} bytes were taken");
            messages = messages[length..];
        }
    }

    public void Stop() => Write(s_lastQuestion);

    public void Close() => device.Dispose();

    private static byte[] LastQuestion()
    {
        var message = new byte[MessageHeader.Size + 2];
        new MessageHeader(MessageType.GetDomainPath, uint.MaxValue, 0, 2).Write(message);
        message[MessageHeader.Size] = (byte)'0';
        return message;
    }
}
