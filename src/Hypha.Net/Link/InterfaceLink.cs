using Hypha.Linux;
using Hypha.Net.Wire;

namespace Hypha.Net.Link;

/// <summary>
/// The host's end of a vif, veth or tap, by a packet socket. Frames go whole through virtio-net headers (PACKET_VNET_HDR): up to 64 KiB, with
/// the checksums that the other end left out.
/// </summary>
public sealed class InterfaceLink : ILink
{
    private const int LargestFrame = VirtioNetHeader.Size + EthernetFrame.HeaderSize + 4 + 65_536;
    private const int LargestHeaders = 256;

    private readonly PacketSocket _socket;
    private readonly byte[] _received = GC.AllocateUninitializedArray<byte>(LargestFrame, pinned: true);
    private readonly byte[] _headers = GC.AllocateUninitializedArray<byte>(LargestHeaders, pinned: true);

    /// <param name="mtu">Null: the interface's.</param>
    /// <exception cref="LinuxException">EPERM without CAP_NET_RAW and CAP_NET_ADMIN; ENODEV.</exception>
    public InterfaceLink(string name, int? mtu = null)
    {
        var nic = NetworkInterface.Of(name);
        KeepKernelAway(name);
        nic.BringUpWithoutArp();
        Mtu = mtu ?? nic.Mtu;
        _socket = new PacketSocket(nic.Index, name);
    }

    public int Mtu { get; }

    public bool Segments => true;

    public int FileDescriptor => _socket.Number;

    /// <summary>Frames that were lost since there was no room, either way, or the interface was down.</summary>
    public ulong SendFailures { get; private set; }

    public int Receive(IFrameReceiver receiver, int limit, long now)
    {
        int count = 0;
        while (count < limit)
        {
            int got = _socket.Receive(_received);
            if (got < 0)
            {
                // ENETDOWN is told once; the socket goes on when the interface comes back.
                if (-got == (int)Errno.EINTR)
                    continue;
                break;
            }
            count++;
            if (got > VirtioNetHeader.Size)
                receiver.Receive(VirtioNetHeader.Read(_received), _received.AsSpan(VirtioNetHeader.Size, got - VirtioNetHeader.Size), now);
        }
        return count;
    }

    public bool TrySend(in VirtioNetHeader offload, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first = default, ReadOnlySpan<byte> second = default)
    {
        Span<byte> all = _headers.AsSpan(0, VirtioNetHeader.Size + headers.Length);
        offload.Write(all);
        headers.CopyTo(all[VirtioNetHeader.Size..]);
        int sent = _socket.Send(all, first, second);
        if (sent >= 0)
            return true;
        if (-sent is (int)Errno.EAGAIN or (int)Errno.ENOBUFS or (int)Errno.ENOMEM)
            return false;
        // Down, gone, or a frame that the interface cannot take: as if lost on the wire.
        SendFailures++;
        return true;
    }

    public void Dispose() => _socket.Dispose();

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
