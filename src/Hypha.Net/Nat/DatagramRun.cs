using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Nat;

/// <summary>Where a datagram goes, and how.</summary>
/// <param name="Whole">It may not be cut on its way (IPv4's DF).</param>
internal readonly record struct DatagramRoute(IpAddress Peer, ushort Port, byte HopLimit, bool Whole);

/// <summary>
/// Datagrams that follow each other on the same way: the host's kernel gets them in one piece and cuts them itself (udp(7), UDP_SEGMENT), which
/// costs little more than one. They leave at the end of the turn at the latest, in the order in which they came.
/// </summary>
internal sealed class DatagramRun : ITurn
{
    private const int MostDatagrams = 64; // UDP_MAX_SEGMENTS, linux/udp.h
    private const int MostBytes = ushort.MaxValue - Ipv6Packet.HeaderSize - UdpDatagram.HeaderSize; // as if they were one

    private readonly EventLoop _loop;
    private readonly int _largest; // of one datagram in a run, in bytes
    private byte[]? _bytes;
    private DatagramFlow? _flow;
    private DatagramRoute _route;
    private int _size, _last, _used, _count;
    private bool _queued;

    /// <param name="mtu">Of the guest's link, in bytes: longer ones came in fragments, and leave so.</param>
    public DatagramRun(EventLoop loop, int mtu)
    {
        _loop = loop;
        _largest = mtu - Ipv4Packet.HeaderSize - UdpDatagram.HeaderSize;
    }

    public void Add(DatagramFlow flow, in DatagramRoute route, ReadOnlySpan<byte> bytes, long now)
    {
        if (_flow is not null && !Goes(flow, route, bytes.Length))
            Flush(now);
        if (bytes.Length == 0 || bytes.Length > _largest)
        {
            flow.Emit(route, bytes, bytes.Length, now);
            return;
        }
        if (_flow is null)
            (_flow, _route, _size) = (flow, route, bytes.Length);
        _bytes ??= GC.AllocateUninitializedArray<byte>(MostBytes, pinned: true);
        bytes.CopyTo(_bytes.AsSpan(_used));
        _used += bytes.Length;
        _last = bytes.Length;
        _count++;
        if (_queued)
            return;
        _queued = true;
        _loop.BeforeWaiting(this);
    }

    /// <summary>The flow ends: what it has sent goes before.</summary>
    public void Leave(DatagramFlow flow)
    {
        if (_flow == flow)
            Flush(_loop.Now);
    }

    void ITurn.Turn(long now)
    {
        _queued = false;
        Flush(now);
    }

    private bool Goes(DatagramFlow flow, in DatagramRoute route, int length) =>
        _flow == flow && _last == _size && length > 0 && length <= _size && _count < MostDatagrams && _used + length <= MostBytes && _route == route;

    private void Flush(long now)
    {
        if (_flow is not { } flow)
            return;
        int used = _used;
        (_flow, _used, _count) = (null, 0, 0);
        flow.Emit(_route, _bytes.AsSpan(0, used), _size, now);
    }
}
