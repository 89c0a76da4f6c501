using Hypha.Linux;
using Hypha.Net.Link;
using Hypha.Net.Wire;

namespace Hypha.Net.Tests.Gateway;

/// <summary>A link that keeps what is sent.</summary>
internal sealed class MemoryLink : ILink
{
    private readonly EventFile _file = new();

    public List<byte[]> Sent { get; } = [];

    /// <summary>Do not keep: count alone.</summary>
    public bool Forgets { get; set; }

    public int Count { get; private set; }

    public int Mtu => 1_500;

    public bool Segments => true;

    public int FileDescriptor => _file.Number;

    public int Receive(IFrameReceiver receiver, int limit, long now) => 0;

    public bool TrySend(in VirtioNetHeader offload, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first = default, ReadOnlySpan<byte> second = default)
    {
        Count++;
        if (!Forgets)
            Sent.Add([.. headers, .. first, .. second]);
        return true;
    }

    public void Dispose() => _file.Dispose();
}
