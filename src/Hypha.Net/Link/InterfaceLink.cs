using Hypha.Linux;
using Hypha.Net.Loop;
using Hypha.Net.Wire;

namespace Hypha.Net.Link;

/// <summary>
/// The host's end of a vif, veth or tap, by a packet socket. Frames go whole through virtio-net headers (PACKET_VNET_HDR): up to 64 KiB, with
/// the checksums that the other end left out.
/// </summary>
public sealed class InterfaceLink : ILink, ITurn
{
    private const int LargestFrame = VirtioNetHeader.Size + EthernetFrame.HeaderSize + 4 + 65_536;
    private const int LargestHeaders = 256;
    private const int FramesAtOnce = 64;
    private const int SmallFrame = 2_048, SmallFrames = 32 * SmallFrame; // bytes: copying a longer one costs more than a call for it

    /// <summary>One for all links of a loop, and so of a thread: it is empty again when a call returns.</summary>
    [ThreadStatic]
    private static ReceiveBatch? s_received;

    private readonly EventLoop _loop;
    private readonly NetworkInterface _interface;
    private readonly Action? _gone;
    private readonly PacketSocket _socket;
    private readonly byte[] _headers = GC.AllocateUninitializedArray<byte>(LargestHeaders, pinned: true);
    private readonly SendBatch _small = new(FramesAtOnce, SmallFrames);
    private bool _queued;

    /// <param name="mtu">Null: the interface's.</param>
    /// <param name="gone">Told when the interface was removed: nothing comes of it any more.</param>
    /// <exception cref="LinuxException">EPERM without CAP_NET_RAW and CAP_NET_ADMIN; ENODEV.</exception>
    public InterfaceLink(EventLoop loop, string name, int? mtu = null, Action? gone = null)
    {
        _interface = NetworkInterface.Of(name);
        KeepKernelAway(name);
        _interface.BringUpWithoutArp();
        Mtu = mtu ?? _interface.Mtu;
        _loop = loop;
        _gone = gone;
        _socket = new PacketSocket(_interface.Index, name);
    }

    public int Mtu { get; }

    public bool Segments => true;

    public int FileDescriptor => _socket.Number;

    /// <summary>Frames that were lost since there was no room, either way, or the interface was down.</summary>
    public ulong SendFailures { get; private set; }

    public int Receive(IFrameReceiver receiver, int limit, long now)
    {
        ReceiveBatch batch = s_received ??= new ReceiveBatch(FramesAtOnce, LargestFrame);
        int count = 0;
        while (count < limit)
        {
            int wanted = Math.Min(limit - count, FramesAtOnce), got = batch.Receive(_socket.Number, wanted);
            if (got == -(int)Errno.EINTR)
                continue;
            if (got == -(int)Errno.EINVAL)
            {
                count++; // one that virtio's header cannot describe, and that is taken away by that (UDP in segments, before Linux 6.2)
                continue;
            }
            // ENETDOWN is told once; the socket goes on when the interface comes back.
            if (got == -(int)Errno.ENETDOWN && !_interface.IsThere)
                _gone?.Invoke();
            if (got <= 0)
                break;
            for (int i = 0; i < got; i++)
            {
                ReadOnlySpan<byte> frame = batch[i];
                if (frame.Length > VirtioNetHeader.Size)
                    receiver.Receive(VirtioNetHeader.Read(frame), frame[VirtioNetHeader.Size..], now);
            }
            count += got;
            if (got < wanted)
                break;
        }
        return count;
    }

    public bool TrySend(in VirtioNetHeader offload, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first = default, ReadOnlySpan<byte> second = default)
    {
        int length = VirtioNetHeader.Size + headers.Length + first.Length + second.Length;
        return length <= SmallFrame ? TrySendSmall(offload, headers, first, second, length) : TrySendLarge(offload, headers, first, second);
    }

    /// <summary>Together with others at the end of the turn.</summary>
    private bool TrySendSmall(in VirtioNetHeader offload, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, int length)
    {
        Span<byte> frame = _small.Add(length);
        if (frame.IsEmpty)
        {
            Flush();
            frame = _small.Add(length);
            if (frame.IsEmpty)
                return false;
        }
        offload.Write(frame);
        headers.CopyTo(frame[VirtioNetHeader.Size..]);
        first.CopyTo(frame[(VirtioNetHeader.Size + headers.Length)..]);
        second.CopyTo(frame[(VirtioNetHeader.Size + headers.Length + first.Length)..]);
        if (!_queued)
        {
            _queued = true;
            _loop.BeforeWaiting(this);
        }
        return true;
    }

    private bool TrySendLarge(in VirtioNetHeader offload, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (!Flush())
            return false; // those before it go first
        Span<byte> all = _headers.AsSpan(0, VirtioNetHeader.Size + headers.Length);
        offload.Write(all);
        headers.CopyTo(all[VirtioNetHeader.Size..]);
        return WasTaken(_socket.Send(all, first, second));
    }

    public void RoomAgain() => Flush();

    void ITurn.Turn(long now)
    {
        _queued = false;
        Flush();
    }

    /// <returns>Whether none is left.</returns>
    private bool Flush()
    {
        while (_small.Count > 0)
        {
            int sent = _small.Send(_socket.Number);
            if (sent > 0)
                continue;
            if (!WasTaken(sent))
                return false;
            _small.Drop(1);
        }
        return true;
    }

    /// <param name="sent">What the kernel returned.</param>
    /// <returns>False when there is no room just now.</returns>
    private bool WasTaken(int sent)
    {
        if (sent >= 0)
            return true;
        if (-sent is (int)Errno.EAGAIN or (int)Errno.ENOBUFS or (int)Errno.ENOMEM)
            return false;
        // Down, gone, or a frame that the interface cannot take: as if lost on the wire.
        SendFailures++;
        return true;
    }

    public void Dispose()
    {
        Flush();
        _small.Drop(int.MaxValue); // a turn may be queued yet
        _socket.Dispose();
        _small.Dispose();
    }

    /// <summary>The kernel shall not speak IPv6 on it: router solicitations, neighbour discovery, an address of its own.</summary>
    private static void KeepKernelAway(string name)
    {
        try
        {
            File.WriteAllText($"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "1");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A kernel without IPv6, or /proc/sys read-only as in a container: it would speak, and the guest could listen to it; no more.
        }
    }
}
