using System.Buffers.Binary;
using Hypha.Net.Wire;
using Hypha.Xen;

namespace Hypha.Net.Link.Netif;

/// <summary>Frames to the guest: staged, and copied together at the end of the turn.</summary>
public sealed partial class NetifLink
{
    private int _stagedOut;
    private bool _queued;

    public bool TrySend(in VirtioNetHeader offload, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first = default, ReadOnlySpan<byte> second = default)
    {
        int length = headers.Length + first.Length + second.Length;
        bool cut = offload.Segmentation != Segmentation.None;
        // As if lost on the wire: nobody could take it later, either.
        if (_broken || length > LargestFrame || (cut && (!Segments || offload.Segmentation is not (Segmentation.TcpV4 or Segmentation.TcpV6) || offload.SegmentSize == 0)))
        {
            SendFailures++;
            return true;
        }
        NetifQueue queue = QueueOf(headers, first);
        int pages = (int)Page.Count(length), slots = pages + (cut ? 1 : 0);
        if (queue.Receive.Available < slots && !queue.Receive.AskForEvent(slots))
            return false;
        if (_out.Room < pages || _stagedOut + length > _out.Memory.Length)
            Flush();

        Span<byte> frame = _out.Memory.Span.Slice(_stagedOut, length);
        headers.CopyTo(frame);
        first.CopyTo(frame[headers.Length..]);
        second.CopyTo(frame[(headers.Length + first.Length)..]);
        ReceiveFlags flags = offload.DataValid ? ReceiveFlags.DataValidated : 0;
        if (offload.NeedsChecksum && Segments)
            flags = ReceiveFlags.ChecksumBlank | ReceiveFlags.DataValidated;
        else if (offload.NeedsChecksum)
            FinishChecksum(frame, offload.ChecksumStart, offload.ChecksumStart + offload.ChecksumOffset);

        int slot = 0;
        for (int at = 0; at < length; at += Page.Size)
        {
            int size = Math.Min(Page.Size, length - at);
            var page = queue.Receive.Peek<ReceiveRequest>(slot++);
            ReceiveFlags piece = at == 0 ? flags | (cut ? ReceiveFlags.ExtraInfo : 0) : 0;
            if (at + size < length)
                piece |= ReceiveFlags.MoreData;
            queue.Add(new ReceiveResponse(page.Id, 0, piece, (short)size), _out.AddWrite(_stagedOut + at, new GrantRef(page.Grant), 0, size));
            if (at == 0 && cut)
            {
                slot++; // its page stays unused
                queue.Add(new ExtraInfo(ExtraInfo.Segmentation, 0, offload.SegmentSize, offload.Segmentation == Segmentation.TcpV4 ? ExtraInfo.TcpV4 : ExtraInfo.TcpV6, 0, 0));
            }
        }
        queue.Receive.Take(slot);
        _stagedOut += length;
        if (!_queued)
        {
            _queued = true;
            _loop.BeforeWaiting(this);
        }
        return true;
    }

    private void Flush()
    {
        if (_broken || _out.Count == 0)
            return;
        try
        {
            _out.Run();
            foreach (NetifQueue queue in _queues)
                queue.Complete(_out);
        }
        catch (XenException error)
        {
            Break(error.Message); // the others' links go on
        }
        _out.Clear();
        _stagedOut = 0;
    }

    /// <summary>All frames of one flow by one queue, so that they stay in order.</summary>
    private NetifQueue QueueOf(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> first)
    {
        if (_queues.Length == 1)
            return _queues[0];
        // Ports and the addresses' ends: wherever they lie, they are the same bytes in each frame of a flow.
        ReadOnlySpan<byte> bytes = headers.Length >= 38 ? headers : first;
        uint hash = bytes.Length < 38 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(bytes[26..]) * 31 + BinaryPrimitives.ReadUInt32BigEndian(bytes[30..]) * 17 + BinaryPrimitives.ReadUInt32BigEndian(bytes[34..]);
        return _queues[(int)((hash ^ hash >> 16) % (uint)_queues.Length)];
    }

    /// <summary>The field holds the pseudo header's part.</summary>
    private static void FinishChecksum(Span<byte> frame, int start, int field)
    {
        if (field > frame.Length - 2 || field < start)
            return;
        ushort sum = Checksum.Of(frame[start..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[field..], sum == 0 ? ushort.MaxValue : sum);
    }
}
