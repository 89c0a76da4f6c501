using System.Diagnostics;
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

    /// <summary>A frame that comes without end.</summary>
    public byte[]? Flood { get; set; }

    /// <summary>How long it takes whoever looks at one of the flood's frames.</summary>
    public TimeSpan Cost { get; set; }

    /// <summary>How many frames were asked for.</summary>
    public int Asked { get; private set; }

    /// <summary>Looks at each frame that is sent.</summary>
    public Action<VirtioNetHeader, byte[]>? Watcher { get; set; }

    /// <summary>There is no room.</summary>
    public bool IsFull { get; set; }

    public void RoomAgain()
    {
    }

    public int Receive(IFrameReceiver receiver, int limit, long now)
    {
        Asked += limit;
        for (int i = 0; Flood is not null && i < limit; i++)
        {
            receiver.Receive(default, Flood, now);
            for (long begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < Cost;)
            {
            }
        }
        return Flood is null ? 0 : limit;
    }

    public bool TrySend(in VirtioNetHeader offload, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first = default, ReadOnlySpan<byte> second = default)
    {
        if (IsFull)
            return false;
        Count++;
        Watcher?.Invoke(offload, [.. headers, .. first, .. second]);
        if (!Forgets)
            Sent.Add([.. headers, .. first, .. second]);
        return true;
    }

    public void Dispose() => _file.Dispose();
}
